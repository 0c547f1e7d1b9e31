"""Window functions: they may rank and compare the rows of one person, never persons with each other."""

from collections.abc import Callable, Iterable
from typing import Any

from schemas.sql.allowed import Kind
from schemas.sql.columns import Column
from schemas.sql.constants import whole
from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope

Reader = Callable[[Any, Scope], Column]


def define_windows(clause: Iterable[Any], scope: Scope, read: Reader) -> None:
    """Note the windows of a WINDOW clause; the server computes also those that no function uses."""
    definitions = [entry.window_def for entry in clause]
    scope.windows = {definition.name: definition for definition in definitions}
    for definition in definitions:
        if definition.refname:
            raise RefusedQueryError(
                RefusalCode.FORM, "A WINDOW can't be made of another one; write it out.", definition.location
            )
        check_window(definition, scope, read)


def check_window(window: Any, scope: Scope, read: Reader) -> None:
    """Refuse a window that reaches over more than one person."""
    named = window.name or window.refname
    parts = [scope.windows[named]] if named in scope.windows else []
    if named and not parts:
        raise RefusedQueryError(RefusalCode.NAME, f'There is no WINDOW "{named}"; define it after FROM.')
    read_windows = [_partition(part, scope, read) for part in [window, *parts]]
    if scope.clinical and not any(_of_one(column) for columns in read_windows for column in columns):
        raise RefusedQueryError(
            RefusalCode.UNLINKED,
            "A window over persons must stay within one person; add PARTITION BY person_id, also beside accession_id.",
        )


def _of_one(column: Column) -> bool:
    # Rows of many persons whose accession number or other record is unknown would share a window.
    return column.kind is Kind.PERSON and not column.outer and not column.nullable


def _partition(window: Any, scope: Scope, read: Reader) -> list[Column]:
    for item in window.order_clause:
        read(item.sort_by.node, scope)
    for offset in (window.start_offset, window.end_offset):
        if _is_interval(offset):
            read(offset, scope)
        elif offset.WhichOneof("node") and not whole(offset, 0, 1000):
            raise RefusedQueryError(RefusalCode.CONSTANT, "The rows of a window are counted by constants.")
    return [read(part, scope) for part in window.partition_clause]


def _is_interval(node: Any) -> bool:
    names = [name.string.sval for name in node.type_cast.type_name.names]
    return names[-1:] == ["interval"] and node.type_cast.arg.HasField("a_const")
