"""The last look at a SELECT: each part of it that the server would compute has been read by a rule."""

from typing import Any

from schemas.sql.refusal import RefusalCode, RefusedQueryError
from schemas.sql.scope import Scope
from schemas.sql.trees import children

_COMPUTED = frozenset({"ColumnRef", "FuncCall", "SubLink", "TypeCast"})


def check_read(statement: Any, scope: Scope) -> None:
    """Refuse a SELECT with a part that no rule has read; subqueries are looked at where they are read themselves.

    Of LIMIT only plain numbers are ever taken; what `*` stands for is named where it is selected.

    Raises
    ------
    RefusedQueryError
        A clause or form has been forgotten by the rules.
    """
    waiting = [part for part in children(statement) if part is not statement.limit_count]
    while waiting:
        part = waiting.pop()
        name = part.DESCRIPTOR.name
        if name in _COMPUTED and (name, part.location) not in scope.noted and not _is_star(part, name):
            raise RefusedQueryError(
                RefusalCode.FORM, "Such a part of a query is not allowed there; leave it out.", part.location
            )
        waiting += [] if name == "SelectStmt" else children(part)


def _is_star(part: Any, name: str) -> bool:
    return name == "ColumnRef" and bool(part.fields[-1].HasField("a_star"))
