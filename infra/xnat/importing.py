"""A study's zip into a session: nothing is stored unless all of it can be."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from infra.xnat import dicom
from infra.xnat.model import FileNotes, Node
from infra.xnat.refusal import conflict

if TYPE_CHECKING:
    from infra.xnat.archive import Archive
    from infra.xnat.dicom import Instance

Overwrite = Literal["none", "append", "delete"]
_DICOM = FileNotes(format="DICOM", content="RAW")


@dataclass(frozen=True, slots=True)
class Order:
    """Where a study shall go, by labels, and what may happen to a session that is there already.

    `none` refuses it; `append` adds, and refuses files that differ from stored ones; `delete` replaces those.
    """

    project: str
    subject: str
    session: str
    overwrite: Overwrite = "none"


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
        subject = ensure_subject(archive, project, order.subject, by)
        archive.adopt(draft(archive, project, order, instances, by, {"subject_ID": subject.id}))
    else:
        _check_merge(session, order, instances)
        lay_out(archive, session, instances, by)
    return address(order)


def address(order: Order) -> str:
    return f"/data/archive/projects/{order.project}/subjects/{order.subject}/experiments/{order.session}"


def ensure_subject(archive: Archive, project: Node, label: str, by: str) -> Node:
    return project.find("subjects", label) or archive.create("subjects", label, project, {}, by)


def draft(  # noqa: PLR0917  what, where, by whom
    archive: Archive, project: Node, order: Order, instances: list[Instance], by: str, said: dict[str, str]
) -> Node:
    """Return a session that nobody sees yet, with all its scans and files."""
    session = archive.draft("experiments", order.session, project, _described(instances) | said, by)
    lay_out(archive, session, instances, by)
    return session


def _described(instances: list[Instance]) -> dict[str, str]:
    """Return the fields of a session, by XNAT's names for them."""
    first = instances[0]
    return {
        "xsiType": dicom.session_type(i.modality for i in instances),
        "date": _iso_date(first.date),
        "time": _iso_time(first.time),
        "UID": first.study,
        "modality": first.modality,
        "session_type": first.title,
        "dcmAccessionNumber": first.accession,
        "dcmPatientId": first.patient,
        "dcmPatientName": first.patient_name,
    }


def _iso_time(time: str) -> str:
    six_digits = len(time) >= 6 and time[:6].isdecimal()  # noqa: PLR2004  DICOM's TM is HHMMSS.FFFFFF
    return f"{time[:2]}:{time[2:4]}:{time[4:6]}" if six_digits else ""


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


def lay_out(archive: Archive, session: Node, instances: list[Instance], by: str) -> None:
    """Give instances their scans and files in a session; series that it has already are added to."""
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
        "series_number": first.number,
        "UID": first.series,
    }
    scan = session.find("scans", scan_id) or archive.create("scans", scan_id, session, described, by)
    resource = archive.ensure_resource(scan, "DICOM", _DICOM)
    archive.store(resource, {i.file_name: i.arrival for i in instances}, _DICOM, overwrite=True)
