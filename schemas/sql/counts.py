"""The counts a query selects: of whom, and under which condition."""

from dataclasses import dataclass
from typing import Any

from schemas.sql.allowed import Kind
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Selection
from schemas.sql.trees import all_of, coalesce, column_of, copied, equals_one, not_null
from schemas.sql.words import COMPARISONS, NUMBER_TYPES

MAX_COUNTS = 6
MAX_SIDES = 12


@dataclass(frozen=True, slots=True)
class Count:
    """One count: `person` and `condition` are grammar nodes; no condition counts everybody of the cell."""

    title: str
    person: Any
    condition: Any


def bare(call: Any) -> Any:
    """Return a function call as the node that it is an expression in."""
    node = type(_EMPTY)()
    node.func_call.CopyFrom(call)
    return node


def is_count(node: Any) -> bool:
    """Whether an expression is a count: count(...), a sum of ones, or one of them as another number type."""
    node = _uncast(node)
    call = node.func_call
    name = call.funcname[-1].string.sval if call.funcname else ""
    return not call.HasField("over") and (name == "count" or (name == "sum" and _is_flag(call)))


def _uncast(node: Any) -> Any:
    cast = node.type_cast
    return cast.arg if node.HasField("type_cast") and cast.type_name.names[-1].string.sval in NUMBER_TYPES else node


def _is_flag(call: Any) -> bool:
    if len(call.args) != 1:
        return False
    if call.args[0].HasField("type_cast"):
        return _is_truth(_uncast(call.args[0]))
    case = call.args[0].case_expr
    if not case.args:
        return False
    results = [branch.case_when.result for branch in case.args]
    results += [case.defresult] if case.HasField("defresult") else []
    return all(_is_bit(result) for result in results)


def _is_truth(node: Any) -> bool:
    """Whether an expression is true or false for sure, by its form."""
    comparison = node.a_expr.name[0].string.sval in COMPARISONS if node.a_expr.name else False
    return comparison or node.WhichOneof("node") in ("bool_expr", "null_test", "boolean_test")


def _is_bit(node: Any) -> bool:
    constant = node.a_const
    return bool(constant.isnull or (constant.HasField("ival") and constant.ival.ival in (0, 1)))


def read_counts(targets: list[Any], selection: Selection) -> list[Count]:
    """Return what each count counts.

    Raises
    ------
    RefusedQueryError
        No person can be counted here.
    """
    persons = _persons(selection)
    counts = [target.res_target for target in targets if is_count(target.res_target.val)]
    return [_read(count, persons, selection, at) for at, count in enumerate(counts, 1)]


def _persons(selection: Selection) -> list[tuple[str, str]]:
    """Return (relation, column) of each person in the rows; all of a row's are the same person."""
    persons = [
        (relation.name, name)
        for relation in selection.relations
        for name, column in relation.columns.items()
        if column.kind is Kind.PERSON
    ]
    if not persons:
        raise RefusedQueryError(
            RefusalCode.NO_PERSON,
            "Counts are of distinct persons, and no table here has person_id; join one that has.",
        )
    return persons


def _read(target: Any, persons: list[tuple[str, str]], selection: Selection, at: int) -> Count:
    call = _uncast(target.val).func_call
    everybody = [column_of(*person) for person in persons]
    person = coalesce(everybody) if selection.sided and len(everybody) > 1 else everybody[0]
    condition = copied(call.agg_filter) if call.HasField("agg_filter") else None
    if call.args and call.funcname[-1].string.sval == "sum":
        condition = _and(condition, equals_one(call.args[0]))
    elif call.args and not call.args[0].HasField("a_const"):
        own = _named_person(call.args[0], persons)
        person = own or person
        condition = condition if own else _and(condition, not_null(call.args[0]))
    return Count(target.name or f"count_{at}", person, condition)


def _named_person(node: Any, persons: list[tuple[str, str]]) -> Any:
    names = [field.string.sval for field in node.column_ref.fields]
    found = [person for person in persons if names in ([*person], [person[1]])]
    return column_of(*found[0]) if found else None


def _and(one: Any, other: Any) -> Any:
    return all_of([one, other]) if one is not None else other


_EMPTY = column_of("a", "b")
