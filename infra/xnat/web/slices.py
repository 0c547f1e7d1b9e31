"""A scan's images in the order in which one looks through them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from infra.xnat.dicom import UNREADABLE
from infra.xnat.dicomweb.finding import RESOURCE
from infra.xnat.dicomweb.pixels import frame_count
from infra.xnat.dicomweb.reading import header
from infra.xnat.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from infra.xnat.model import Node


Files = tuple[tuple["Path", int], ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame of one file; frames count from 1."""

    location: Path
    frame: int


def slice_files(scan: Node) -> Files:
    """Return the scan's DICOM files and when each was changed, in no order."""
    resource = scan.resources.get(RESOURCE)
    files = resource.files.values() if resource else ()
    return tuple((resource.location(file.path), file.modified_ns) for file in files) if resource else ()


@lru_cache(maxsize=32)
def slices(files: Files) -> tuple[Slice, ...]:
    """Return every frame, by instance number; files that can't be read have none."""
    numbered = sorted((_place(file), file) for file, _ in files)
    return tuple(Slice(file, frame) for _, file in numbered for frame in range(1, _frames(file) + 1))


def _place(file: Path) -> int:
    try:
        return int(header(file).get("InstanceNumber") or 0)
    except (Refusal, *UNREADABLE):
        return 0


def _frames(file: Path) -> int:
    try:
        return frame_count(header(file))
    except Refusal:
        return 0
