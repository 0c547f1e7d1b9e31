"""Headers of stored files, read once and kept as long as they are asked for; pixels stay on disk."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

import pydicom

from infra.xnat.dicom import UNREADABLE
from infra.xnat.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import FileDataset

_LATER = 1_024  # bytes; larger values are read only when somebody looks at them


def header(location: Path) -> FileDataset:
    """Return a file's data set. Raises 422 when it can't be read, though it was taken in once."""
    return _header(location, location.stat().st_mtime_ns)


@lru_cache(maxsize=1_000)
def _header(location: Path, _changed_ns: int) -> FileDataset:
    try:
        return pydicom.dcmread(location, defer_size=_LATER)
    except UNREADABLE as error:
        raise unreadable() from error


def unreadable() -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "instance: what is stored can't be read as DICOM images")
