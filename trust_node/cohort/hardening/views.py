"""The views that the reader sees instead of tables: the columns that the judge allows, without who has opted out."""

from collections.abc import Container, Iterator, Mapping

from schemas.sql.allowed import CLINICAL_TABLES, VOCABULARY_TABLES
from trust_node.cohort.hardening.facts import Columns
from trust_node.cohort.hardening.layout import Layout

# CDM 5.3 has these under other names.
OLD_NAMES = {
    ("visit_occurrence", "admitted_from_concept_id"): "admitting_source_concept_id",
    ("visit_occurrence", "discharged_to_concept_id"): "discharge_to_concept_id",
    ("visit_detail", "admitted_from_concept_id"): "admitting_source_concept_id",
    ("visit_detail", "discharged_to_concept_id"): "discharge_to_concept_id",
    ("visit_detail", "parent_visit_detail_id"): "visit_detail_parent_id",
}


def views(layout: Layout, clinical: Columns, vocabulary: Columns) -> dict[str, str]:
    """Return the statement that makes each view, by its name, for the tables and columns that are there."""
    made = {}
    for table, columns in CLINICAL_TABLES.items():
        if listed := _listed(layout, table, tuple(columns), clinical):
            made[table] = _clinical_view(layout, table, listed, clinical)
    for table, columns in VOCABULARY_TABLES.items():
        if listed := [name for name in columns if name in vocabulary.get(table, {})]:
            source = f"{layout.vocabulary_schema}.{table}"
            made[table] = _view(f"{layout.views_schema}.{table}", listed, source)
    return made


def absent(made: Mapping[str, Container[str]]) -> Iterator[str]:
    """Yield what the judge allows and these views have not, as `table` or `table.column`."""
    for table, columns in (CLINICAL_TABLES | VOCABULARY_TABLES).items():
        if table not in made:
            yield table
        else:
            yield from (f"{table}.{column}" for column in columns if column not in made[table])


def sources(layout: Layout, clinical: Columns, vocabulary: Columns) -> dict[str, set[str]]:
    """Return the columns that the views' owner must read, by schema-qualified table."""
    needed: dict[str, set[str]] = {}
    for table, columns in CLINICAL_TABLES.items():
        there = clinical.get(table, {})
        if names := {name for column in columns if (name := _stored(table, column, there))}:
            needed[f"{layout.cdm_schema}.{table}"] = names
    for table, columns in VOCABULARY_TABLES.items():
        if names := set(columns) & set(vocabulary.get(table, {})):
            needed.setdefault(f"{layout.vocabulary_schema}.{table}", set()).update(names)
    return _with_linked(layout, needed)


def _with_linked(layout: Layout, needed: dict[str, set[str]]) -> dict[str, set[str]]:
    if layout.opt_out:
        left = layout.opt_out
        needed.setdefault(f"{left.schema}.{left.table}", set()).add(left.column)
    images = needed.get(f"{layout.cdm_schema}.image_occurrence")
    if images and (accession := layout.accession):
        needed.setdefault(f"{accession.schema}.{accession.table}", set()).update({accession.key, accession.column})
        images.add(accession.key)
    return needed


def _listed(layout: Layout, table: str, columns: tuple[str, ...], there: Columns) -> list[str]:
    if table not in there:
        return []
    named = {column: _stored(table, column, there[table]) for column in columns}
    if table == "image_occurrence" and layout.accession:
        source = "t" if layout.accession.is_own else "linked"
        own = [_named(column, stored) for column, stored in named.items() if stored and column != "accession_id"]
        return [*own, f"{source}.{layout.accession.column}::text AS accession_id"]
    return [_named(column, stored) for column, stored in named.items() if stored]


def _stored(table: str, column: str, there: Container[str]) -> str | None:
    if column in there:
        return column
    old = OLD_NAMES.get((table, column))
    return old if old in there else None


def _named(column: str, stored: str) -> str:
    return f"t.{column}" if column == stored else f"t.{stored} AS {column}"


def _clinical_view(layout: Layout, table: str, listed: list[str], there: Columns) -> str:
    """A view that hides rows is a barrier: no function of a query sees a row before it is known to be shown.

    One that hides columns only needs none, and the planner then sees through it to indexes and statistics.
    """
    barrier = " WITH (security_barrier)" if layout.opt_out else ""
    source = f"{layout.cdm_schema}.{table} AS t{_linked(layout, table)}{_opted_out(layout, table, there)}"
    return _view(f"{layout.views_schema}.{table}{barrier}", listed, source)


def _view(name: str, columns: list[str], source: str) -> str:
    return f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {source}"  # noqa: S608  checked names


def _linked(layout: Layout, table: str) -> str:
    accession = layout.accession
    if table != "image_occurrence" or accession is None or accession.is_own:
        return ""
    return f" LEFT JOIN {accession.schema}.{accession.table} AS linked ON linked.{accession.key} = t.{accession.key}"


def _opted_out(layout: Layout, table: str, there: Columns) -> str:
    """Leave out by a set that the server hashes once for each query; a join would be made anew for each person."""
    if layout.opt_out is None:
        return ""
    left = layout.opt_out
    gone = f"SELECT gone.{left.column} FROM {left.schema}.{left.table} AS gone WHERE gone.{left.column} IS NOT NULL"  # noqa: S608  checked names
    if "person_id" in there[table]:
        return f" WHERE t.person_id NOT IN ({gone})"
    # Only episode_event names its person by another row.
    episode = f"SELECT FROM {layout.cdm_schema}.episode AS e WHERE e.episode_id = t.episode_id"
    return f" WHERE EXISTS ({episode} AND e.person_id NOT IN ({gone}))"
