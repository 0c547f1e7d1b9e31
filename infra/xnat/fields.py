"""What a query says about a node: XNAT's short names and xpaths, brought to one form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.xnat.model import FileNotes, Node
from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.xnat.address import Place

_NOT_FIELDS = {
    "req_format",
    "format",
    "XNAT_CSRF",
    "event_reason",
    "event_type",
    "event_action",
    "allowDataDeletion",
}
_TOLD_BY_US = {"ID", "URI", "insert_date", "insert_user", "subject_ID", "project"}
_SPELT_SO = {"xnat:subjectassessordata/id"}
_XPATH = re.compile(r"^[A-Za-z]+:[A-Za-z]+/")
_SELECTOR = re.compile(r"^.*\[@xsi:type=[^\]]*\]/")


def fields_of(query: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that a query sets: `xnat:subjectData/label` and `label` are the same one."""
    given = {short(key): value for key, value in query.items() if key not in _NOT_FIELDS}
    return {key: value for key, value in given.items() if key not in _TOLD_BY_US}


def short(name: str) -> str:
    """Return a field's short name, whatever path leads to it."""
    return name if name in _SPELT_SO else _SELECTOR.sub("", _XPATH.sub("", name))


def notes(query: Mapping[str, str]) -> FileNotes:
    return FileNotes(query.get("format", ""), query.get("content", ""), query.get("tags", ""))


def completed(place: Place, given: dict[str, str]) -> tuple[Node | None, dict[str, str]]:
    """Return a new node's parent and fields. Raises 400 when XNAT would not know what to make."""
    kind, above = place.last.collection, place.above
    if kind == "projects":
        return None, {"name": place.last.name or ""} | given
    if above is None:
        raise bad_request(f"{kind}: make one below its project")
    if kind in {"experiments", "scans"} and not given.get("xsiType"):
        raise bad_request("xsiType: say what it is, such as xnat:mrSessionData")
    if kind != "experiments":
        return above, given
    if above.kind != "subjects":
        raise bad_request("experiments: make one below its subject")
    return above.project, given | {"subject_ID": above.id}
