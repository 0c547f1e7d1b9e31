"""What of a list is shown: filters, order, page and columns, as the query says them. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from infra.xnat.fields import short
from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Row = dict[str, str]

DEFAULT_COLUMNS = {
    "projects": ("ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname", "URI"),
    "subjects": ("ID", "project", "label", "insert_date", "insert_user", "URI"),
    "experiments": (
        "ID",
        "project",
        "date",
        "xsiType",
        "label",
        "insert_date",
        "subject_ID",
        "subject_label",
        "URI",
    ),
    "scans": (
        "xnat_imagescandata_id",
        "ID",
        "type",
        "quality",
        "xsiType",
        "note",
        "series_description",
        "URI",
    ),
}
_NOT_FILTERS = {"format", "columns", "limit", "offset", "sortBy", "sortOrder", "XNAT_CSRF", "req_format", "structure"}
_MANY_DIGITS = 16
_RANGE = re.compile(r"(\d\d/\d\d/\d{4})-(\d\d/\d\d/\d{4})")


def select(rows: Iterable[Row], kind: str, query: Mapping[str, str]) -> list[Row]:
    """Apply `field=value` filters, `sortBy`, `offset`, `limit` and `columns`. Raises 400 on what can't be read."""
    wanted = {short(field): _test(value) for field, value in query.items() if field not in _NOT_FILTERS}
    kept = [row for row in rows if all(test(row[field]) for field, test in wanted.items() if field in row)]
    if by := query.get("sortBy"):
        kept.sort(key=lambda row: row.get(short(by), ""), reverse=query.get("sortOrder", "").lower() == "desc")
    start = _number("offset", query, 0)
    kept = kept[start : start + _number("limit", query, len(kept))]
    columns = _columns(kind, query.get("columns", "DEFAULT"))
    return [{column: row.get(short(column), "") for column in columns} for row in kept] if columns else kept


def _test(wanted: str) -> Callable[[str], bool]:
    """Return a test for a value: with `*` wildcards, or for dates a range `01/31/2017-12/31/2018`."""
    between = _RANGE.fullmatch(wanted)
    if between is None:
        return lambda value: fnmatchcase(value, wanted)
    first, last = map(_iso, between.groups())
    return lambda value: first <= value[:10] <= last


def _iso(date: str) -> str:
    try:
        return datetime.strptime(date, "%m/%d/%Y").date().isoformat()  # noqa: DTZ007  a day, not a moment
    except ValueError as error:
        raise bad_request("date: write a range as MM/DD/YYYY-MM/DD/YYYY") from error


def _number(name: str, query: Mapping[str, str], default: int) -> int:
    text = query.get(name, "*")
    if text == "*":
        return default
    if not (text.isdecimal() and len(text) < _MANY_DIGITS):
        raise bad_request(f"{name}: give a whole number, or * for all")
    return int(text)


def _columns(kind: str, asked: str) -> tuple[str, ...]:
    """Return the columns to show; those of resources and files can't be chosen, as at XNAT."""
    default = DEFAULT_COLUMNS.get(kind, ())
    if not default or asked == "DEFAULT":
        return default
    return tuple(dict.fromkeys([*asked.split(","), "ID", "URI"]))
