"""Studies, series and instances as the archive holds them: sessions, scans and files with UIDs.

A session or scan that was made by hand has no UID and is not to be found here; an instance is a file of a scan's
`DICOM` resource that is named by its UID, as the import names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.xnat.names import clean
from infra.xnat.refusal import not_found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.xnat.model import Node

RESOURCE = "DICOM"
_SUFFIX = ".dcm"


@dataclass(frozen=True, slots=True)
class Instance:
    """One file with the scan and session that it belongs to."""

    scan: Node
    location: Path

    @property
    def uid(self) -> str:
        return self.location.name.removesuffix(_SUFFIX)

    @property
    def address(self) -> str:
        """Where it is below a project's DICOMweb root."""
        return f"{series_address(self.scan)}/instances/{self.uid}"


def series_address(scan: Node) -> str:
    session = scan.parent
    return f"studies/{session.fields['UID'] if session else ''}/series/{scan.fields['UID']}"


def studies(project: Node, study: str | None = None) -> list[Node]:
    """Return the sessions of a project that are studies, or those of one study."""
    sessions = project.children["experiments"].values()
    return [each for each in sessions if (uid := each.fields.get("UID")) and study in {None, uid}]


def series(project: Node, study: str | None, wanted: str | None = None) -> list[Node]:
    """Return the scans that are series. Raises 404 when a study is named that is not here."""
    found = studies(project, study)
    if study and not found:
        raise not_found("study: there is none of that UID in this project")
    scans = [scan for session in found for scan in session.children["scans"].values()]
    return [each for each in scans if (uid := each.fields.get("UID")) and wanted in {None, uid}]


def instances(project: Node, study: str | None, wanted: str | None, uid: str | None = None) -> list[Instance]:
    """Return the instances of a study, a series, or one. Raises 404 when there are none of that name."""
    scans = series(project, study, wanted)
    found = [each for scan in scans for each in _files(scan, uid)]
    if not found and (wanted or uid):
        raise not_found("series, instance: there is none of that UID in this project")
    return found


def _files(scan: Node, uid: str | None) -> Iterator[Instance]:
    resource = scan.resources.get(RESOURCE)
    files = resource.files if resource else {}
    for path in [f"{clean(uid)}{_SUFFIX}"] if uid else list(files):
        if resource and path in files and path.endswith(_SUFFIX) and "/" not in path:
            yield Instance(scan, resource.location(path))
