"""The part of a plan that makes the views, and lets the reader see nothing else."""

import hashlib
from collections.abc import Iterator, Sequence

from trust_node.cohort.hardening.about import ABOUT, READ_BY_OWNER, about
from trust_node.cohort.hardening.changes import Statement
from trust_node.cohort.hardening.facts import Columns, Facts
from trust_node.cohort.hardening.layout import OURS, Layout, owner_of
from trust_node.cohort.hardening.views import sources, views


def shown(layout: Layout, facts: Facts) -> Iterator[Statement]:
    """Yield what makes the views anew, if they are not as they should be."""
    wanted = list(_made(layout, facts))
    digest = hashlib.sha256("\n".join(statement.sql for statement in wanted).encode()).hexdigest()
    mark = f"{OURS} views {digest}"
    if facts.comments.get(layout.views_schema) == mark and _are_there(layout, facts):
        return
    for schema in _schemas(layout):
        yield Statement(f"DROP SCHEMA IF EXISTS {schema} CASCADE", "made anew below, in the same transaction")
    yield from wanted
    for schema in _schemas(layout):
        yield Statement(f"COMMENT ON SCHEMA {schema} IS '{mark}'", "tells the next run whether anything has changed")


def tables_of(layout: Layout, facts: Facts) -> tuple[Columns, Columns]:
    """Return the columns of the clinical tables and of the vocabulary's."""
    return facts.tables.get(layout.cdm_schema, {}), facts.tables.get(layout.vocabulary_schema, {})


def _schemas(layout: Layout) -> tuple[str, str]:
    return layout.views_schema, layout.about_schema


def _are_there(layout: Layout, facts: Facts) -> bool:
    """Whether every view is there: they go with the tables that they show."""
    there = [set(facts.tables.get(schema, {})) for schema in _schemas(layout)]
    return there == [set(views(layout, *tables_of(layout, facts))), set(ABOUT)]


def _made(layout: Layout, facts: Facts) -> Iterator[Statement]:
    owner, tables = owner_of(facts.database), tables_of(layout, facts)
    for schema in _schemas(layout):
        yield Statement(f"CREATE SCHEMA {schema} AUTHORIZATION {owner}", "holds the views, and no table")
    for right in _owner_reads(layout, tables):
        yield Statement(f"GRANT {right} TO {owner}", "the views read these columns, so their owner may")
    made = views(layout, *tables)
    for sql in made.values():
        yield Statement(sql, "allowed columns only, without who has opted out")
    for sql in about(layout, facts.database, *tables):
        yield Statement(sql, "tells the reader what it could do, for verify")
    yield from _handed_over(layout.reader, owner, layout.views_schema, sorted(made))
    yield from _handed_over(layout.reader, owner, layout.about_schema, ABOUT)


def _handed_over(reader: str, owner: str, schema: str, names: Sequence[str]) -> Iterator[Statement]:
    for name in names:
        yield Statement(f"ALTER VIEW {schema}.{name} OWNER TO {owner}", "a view reads with its owner's rights")
        yield Statement(f"GRANT SELECT ON {schema}.{name} TO {reader}", "what queries may read")
    yield Statement(f"GRANT USAGE ON SCHEMA {schema} TO {reader}", "what queries may name")


def _owner_reads(layout: Layout, tables: tuple[Columns, Columns]) -> Iterator[str]:
    needed = sources(layout, *tables)
    if told := {"cdm_version", "vocabulary_version"} & set(tables[0].get("cdm_source", {})):
        needed[f"{layout.cdm_schema}.cdm_source"] = told
    for schema in sorted({table.partition(".")[0] for table in needed}):
        yield f"USAGE ON SCHEMA {schema}"
    for table, columns in sorted(needed.items()):
        yield f"SELECT ({', '.join(sorted(columns))}) ON {table}"
    yield from (f"SELECT ON pg_catalog.{catalogue}" for catalogue in READ_BY_OWNER)
