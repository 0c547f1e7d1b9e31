"""A training frame's rows become columns of the table: accession numbers and persons are replaced by pseudonyms."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from bus.errors import Rejection
from schemas.sql.allowed import Kind
from schemas.sql.judge import Frame
from trust_node.cohort.frozen.covariates import Covariates

OWN_COLUMNS = frozenset({"study", "scan", "path", "mask"})
PERSON_DIGITS = 16


def check_names(frame: Frame) -> None:
    """Raise a Rejection for names that cannot head columns of the table."""
    names = _names(frame)
    if not all(names):
        raise Rejection("column_unnamed", "A column of the training frame has no name: give each one by AS.")
    taken = sorted(name for name in names if name in OWN_COLUMNS or names.count(name) > 1)
    if taken:
        reason = f'The name "{taken[0][:60]}" of a column is taken in the training table: give it another by AS.'
        raise Rejection("column_taken", reason)


def covariates_of(
    frame: Frame, rows: Iterable[tuple[Any, ...]], sessions: Mapping[str, Sequence[str]], key: bytes
) -> Covariates:
    """Return the frame's values by study, for the accession numbers of `sessions` only.

    Raises
    ------
    Rejection
        `column_unnamed`, `column_taken`, or `several_rows`: two rows of one accession number differ.
    """
    check_names(frame)
    place = frame.columns.index(Kind.ACCESSION)
    told: dict[str, Mapping[str, str]] = {}
    for row in rows:
        values = _values(frame, row, key)
        for session in sessions.get(row[place], ()):
            if told.setdefault(session, values) != values:
                raise Rejection("several_rows", SEVERAL_ROWS)
    return Covariates(tuple(_names(frame)), told)


SEVERAL_ROWS = (
    "The training frame has several rows for one accession_id: group by accession_id, or select with DISTINCT, so that "
    "there is one."
)


def _names(frame: Frame) -> list[str]:
    """Return the names of the columns that become columns: the accession number is the table's own `study`."""
    named = zip(frame.columns, frame.names, strict=True)
    return [" ".join(name.split()) for kind, name in named if kind is not Kind.ACCESSION]


def _values(frame: Frame, row: tuple[Any, ...], key: bytes) -> dict[str, str]:
    kept = [(kind, value) for kind, value in zip(frame.columns, row, strict=True) if kind is not Kind.ACCESSION]
    texts = [_pseudonym(value, key) if kind is Kind.PERSON else _text(value) for kind, value in kept]
    return dict(zip(_names(frame), texts, strict=True))


def _pseudonym(person: Any, key: bytes) -> str:
    if person is None:
        return ""
    return "N" + hmac.digest(key, f"person\0{int(person)}".encode(), hashlib.sha256).hex()[:PERSON_DIGITS]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)
