"""A study's zip into a session: nothing is stored unless all of it can be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from infra.xnat import dicom, names
from infra.xnat.model import FileNotes, Node
from infra.xnat.refusal import bad_request, conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.xnat.archive import Archive
    from infra.xnat.dicom import Instance

Overwrite = Literal["none", "append", "delete"]
_DICOM = FileNotes(format="DICOM", content="RAW")


@dataclass(frozen=True, slots=True)
class Order:
    """Where a zip shall go, by labels, and what may happen to a session that is there already.

    `none` refuses it; `append` adds, and refuses files that differ from stored ones; `delete` replaces those.
    """

    project: str
    subject: str
    session: str
    overwrite: Overwrite = "none"


def order_of(query: Mapping[str, str]) -> Order:
    """Read the order from `dest=/archive[/projects/P/subjects/S/experiments/E]` and the plain parameters."""
    parts = query.get("dest", "/archive").strip("/").split("/")
    if parts[0] != "archive" or query.get("import-handler", "DICOM-zip") != "DICOM-zip":
        raise bad_request("dest, import-handler: only /archive and DICOM-zip are served")
    named = dict(zip(parts[1::2], parts[2::2], strict=False))
    places = {"project": "projects", "subject": "subjects", "session": "experiments"}
    wanted = {key: query.get(key) or named.get(place, "") for key, place in places.items()}
    if missing := [key for key, value in wanted.items() if not value]:
        raise bad_request(f"{', '.join(missing)}: name where the images shall go")
    for key in ("subject", "session"):
        names.label(wanted[key], key)
    overwrite = query.get("overwrite", "none")
    if overwrite not in {"none", "append", "delete"}:
        raise bad_request("overwrite: use none, append or delete")
    return Order(**wanted, overwrite=overwrite)  # type: ignore[arg-type]  # narrowed by the line above


def find_session(project: Node, order: Order) -> Node | None:
    """Return the session that is there already. Raises 409 when it may not be touched."""
    session = project.find("experiments", order.session)
    subject = session.subject() if session else None
    if session and subject and order.subject not in {subject.id, subject.label}:
        raise conflict("session: one of that label belongs to another subject")
    if session and order.overwrite == "none":
        raise conflict("session: it exists already, ask with overwrite=append or overwrite=delete")
    return session


def commit(archive: Archive, project: Node, order: Order, instances: list[Instance], by: str) -> str:
    """Store what was read and return the session's address; a kill leaves a new session whole or absent."""
    session = find_session(project, order)
    if session is None:
        subject = project.find("subjects", order.subject)
        subject = subject or archive.create("subjects", order.subject, project, {}, by)
        session = archive.draft("experiments", order.session, project, _described(subject, instances), by)
        _lay_out(archive, session, instances, by)
        archive.adopt(session)
    else:
        _check_merge(session, order, instances)
        _lay_out(archive, session, instances, by)
    return f"/data/archive/projects/{project.id}/subjects/{order.subject}/experiments/{order.session}"


def _described(subject: Node, instances: list[Instance]) -> dict[str, str]:
    first = instances[0]
    return {
        "subject_ID": subject.id,
        "xsiType": dicom.session_type(i.modality for i in instances),
        "date": _iso_date(first.date),
        "UID": first.study,
        "modality": first.modality,
    }


def _iso_date(date: str) -> str:
    eight_digits = len(date) == 8 and date.isdecimal()  # noqa: PLR2004  DICOM's DA is YYYYMMDD
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if eight_digits else ""


def _check_merge(session: Node, order: Order, instances: list[Instance]) -> None:
    if session.fields.get("UID", instances[0].study) != instances[0].study:
        raise conflict("session: it holds another study, choose another label")
    stored = {
        path: file.md5
        for scan in session.children["scans"].values()
        for resource in scan.resources.values()
        for path, file in resource.files.items()
    }
    differing = [i for i in instances if stored.get(i.file_name, i.arrival.md5) != i.arrival.md5]
    if differing and order.overwrite == "append":
        raise conflict(f"session: {len(differing)} files differ from stored ones, use overwrite=delete to replace them")


def _lay_out(archive: Archive, session: Node, instances: list[Instance], by: str) -> None:
    present = {scan.fields.get("UID", ""): scan.id for scan in session.children["scans"].values()}
    ids = dicom.scan_ids(instances, present)
    by_series = sorted(instances, key=lambda i: i.series)
    for series, members in groupby(by_series, key=lambda i: i.series):
        _fill_scan(archive, session, ids[series], list(members), by)


def _fill_scan(archive: Archive, session: Node, scan_id: str, instances: list[Instance], by: str) -> None:
    first = instances[0]
    described = {
        "xsiType": dicom.scan_type(first.modality),
        "type": first.description or first.modality,
        "series_description": first.description,
        "modality": first.modality,
        "UID": first.series,
    }
    scan = session.find("scans", scan_id) or archive.create("scans", scan_id, session, described, by)
    resource = archive.ensure_resource(scan, "DICOM", _DICOM)
    archive.store(resource, {i.file_name: i.arrival for i in instances}, _DICOM, overwrite=True)
