"""The judge: may this query run here, and which of two kinds is it: a list of persons, or counts of persons."""

from dataclasses import dataclass
from typing import Any

import postgast

from trust_node.cohort.allowed import GROUPABLE, IDENTIFIERS, Kind
from trust_node.cohort.refusal import RefusalCode, Refused, RefusedQueryError
from trust_node.cohort.scope import Selection
from trust_node.cohort.selects import read_select
from trust_node.cohort.shape import Parsed, parse

MAX_KEYS = 4


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that stays in the trust. `columns`: person and/or accession, in the order `sql` selects them.

    `sql` is byte for byte what was judged, without a closing semicolon.
    """

    sql: str
    columns: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Tabulation:
    """Counts of distinct persons. `sql` selects the keys first, then the persons of each cell."""

    sql: str
    keys: tuple[str, ...]


Verdict = Listing | Tabulation | Refused


def judge(sql: str, *, needs_accession: bool = False) -> Verdict:
    """Decide on PostgreSQL's own grammar; everything that is not allowed by name is refused.

    Parameters
    ----------
    sql
        The researcher's text.
    needs_accession
        Whether the answer must name images: then a list has to select accession_id.
    """
    try:
        return _judged(parse(sql), needs_accession=needs_accession)
    except RefusedQueryError as refusal:
        return refusal.refused


def _judged(parsed: Parsed, *, needs_accession: bool) -> Listing | Tabulation:
    counts = [target for target in parsed.select.target_list if _is_count(target.res_target.val)]
    if not counts:
        return _listing(parsed, needs_accession=needs_accession)
    if needs_accession:
        raise _accession_missing()
    return _tabulation(parsed)


def _is_count(node: Any) -> bool:
    call = node.func_call
    return (
        bool(call.funcname) and call.funcname[-1].string.sval == "count" and not call.HasField("over")
    )


def _accession_missing() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.ACCESSION_MISSING,
        "A project with images needs a list that selects accession_id from image_occurrence; add that column.",
    )


def _listing(parsed: Parsed, *, needs_accession: bool) -> Listing:
    statement = parsed.select
    if statement.HasField("limit_count") and not statement.limit_count.a_const.HasField("ival"):
        raise RefusedQueryError(RefusalCode.LIMIT, "LIMIT takes a plain number.")
    selection = read_select(statement, None, {})
    kinds = tuple(column.kind for _, column in selection.outputs)
    if not kinds or set(kinds) - {Kind.PERSON, Kind.ACCESSION} or len(set(kinds)) != len(kinds):
        raise RefusedQueryError(
            RefusalCode.OUTPUT,
            "Select only person_id and accession_id (each once), or count(*) with grouping columns.",
        )
    if needs_accession and Kind.ACCESSION not in kinds:
        raise _accession_missing()
    return Listing(parsed.text, kinds)


def _tabulation(parsed: Parsed) -> Tabulation:
    statement = parsed.select
    _check_clauses(statement)
    keys = [target for target in statement.target_list if not _is_count(target.res_target.val)]
    _check_groups(statement.group_clause, keys)
    for item in statement.sort_clause:
        _check_order(item.sort_by.node)
    # Sorting by the true counts would show what rounding hides; cells are sorted by key after release.
    del statement.sort_clause[:]
    selection = read_select(statement, None, {})
    _check_keys(statement, selection)
    person = _counted_person(statement, selection)
    _rewrite(statement, keys, person)
    return Tabulation(postgast.deparse(parsed.tree), tuple(_title(key, at) for at, key in enumerate(keys)))


def _check_clauses(statement: Any) -> None:
    if statement.HasField("limit_count"):
        raise RefusedQueryError(RefusalCode.LIMIT, "LIMIT is not allowed with counts; cut the answer afterwards.")
    if statement.HasField("having_clause"):
        # HAVING count(*) >= n, asked for many n, finds the exact number behind a rounded one.
        raise RefusedQueryError(RefusalCode.GROUPING, "HAVING is not allowed with counts; filter the answer.")
    if statement.distinct_clause:
        raise RefusedQueryError(RefusalCode.OUTPUT, "DISTINCT is not needed with counts; leave it out.")


def _check_groups(groups: Any, keys: list[Any]) -> None:
    if len(keys) > MAX_KEYS:
        raise RefusedQueryError(RefusalCode.GROUPING, f"Group by at most {MAX_KEYS} columns.")
    for group in groups:
        if not any(_names_key(group, key.res_target, at) for at, key in enumerate(keys, 1)):
            raise _ungrouped()
    if len(groups) != len(keys):
        raise _ungrouped()


def _ungrouped() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.GROUPING,
        "Select each GROUP BY column, in front of the count, and group by each selected column.",
    )


def _names_key(group: Any, key: Any, position: int) -> bool:
    if group.HasField("a_const"):
        return bool(group.a_const.ival.ival == position)
    reference = _last_name(group)
    return bool(reference and reference in (key.name, _last_name(key.val))) or _same(group, key.val)


def _last_name(node: Any) -> str:
    fields = node.column_ref.fields
    return fields[-1].string.sval if fields else ""


def _same(one: Any, other: Any) -> bool:
    return bool(_without_locations(one) == _without_locations(other))


def _without_locations(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    for part in postgast.walk(copy):
        found = part[-1] if isinstance(part, tuple) else part
        if "location" in found.DESCRIPTOR.fields_by_name:
            found.ClearField("location")
    return copy


def _check_order(node: Any) -> None:
    if node.WhichOneof("node") not in ("column_ref", "a_const") and not _is_count(node):
        raise RefusedQueryError(RefusalCode.GROUPING, "Order counts by a selected column or by count(*).")


def _check_keys(statement: Any, selection: Selection) -> None:
    for target, (_, column) in zip(statement.target_list, selection.outputs, strict=True):
        if not _is_count(target.res_target.val) and column.kind not in GROUPABLE:
            raise RefusedQueryError(
                RefusalCode.OUTPUT if column.kind in IDENTIFIERS else RefusalCode.GROUPING,
                "Group only by concepts, their names, year_of_birth, or a date or number made coarse by "
                "extract(year from ...) or floor(...).",
            )


def _counted_person(statement: Any, selection: Selection) -> tuple[str, str]:
    """Return (relation, column) of the person behind each row; the counts must all be of persons."""
    persons = [
        (relation.name, name)
        for relation in selection.relations
        for name, column in relation.columns.items()
        if column.kind is Kind.PERSON
    ]
    for target, (_, _column) in zip(statement.target_list, selection.outputs, strict=True):
        if _is_count(target.res_target.val):
            _check_count(target.res_target.val.func_call, persons)
    if not persons:
        raise RefusedQueryError(
            RefusalCode.NO_PERSON,
            "Counts are of distinct persons, and no table here has person_id; join one that has.",
        )
    return persons[0]


def _check_count(call: Any, persons: list[tuple[str, str]]) -> None:
    name = _last_name(call.args[0]) if call.args else ""
    if not call.agg_star and name not in {column for _, column in persons}:
        raise RefusedQueryError(
            RefusalCode.OUTPUT,
            "Counts are of distinct persons; write count(*) or count(DISTINCT person_id).",
        )


def _rewrite(statement: Any, keys: list[Any], person: tuple[str, str]) -> None:
    kept = [_copy(key) for key in keys]
    counted = postgast.parse("SELECT count(DISTINCT a.b) AS persons").stmts[0].stmt.select_stmt.target_list[0]
    for part, name in zip(counted.res_target.val.func_call.args[0].column_ref.fields, person, strict=True):
        part.string.sval = name
    del statement.target_list[:]
    statement.target_list.extend([*kept, counted])
    ordinals = [postgast.parse(f"SELECT {at}") for at in range(1, len(kept) + 1)]
    del statement.group_clause[:]
    statement.group_clause.extend(
        ordinal.stmts[0].stmt.select_stmt.target_list[0].res_target.val for ordinal in ordinals
    )


def _copy(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy


def _title(target: Any, position: int) -> str:
    return target.res_target.name or _last_name(target.res_target.val) or f"key_{position + 1}"
