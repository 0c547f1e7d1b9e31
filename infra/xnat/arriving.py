"""Bytes on their way in: from a request's body to a file that has no place yet."""

from __future__ import annotations

import errno
import hashlib
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from infra.xnat import names
from infra.xnat.archive import Arrival
from infra.xnat.multipart import boundary, first_part
from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterator
    from pathlib import Path

    from starlette.requests import Request

_PIECE = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class _Digesting:
    """A file being written whose MD5 and size are counted on the way."""

    def __init__(self, location: Path) -> None:
        self._location = location
        self._file = location.open("wb")
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._md5.update(piece)
        self._size += len(piece)

    def close(self) -> Arrival:
        self._file.close()
        return Arrival(self._location, self._size, self._md5.hexdigest())


async def receive(request: Request, location: Path) -> Arrival:
    """Write a request's body, raw or multipart, to `location`; nothing stays there when it breaks off."""
    border = boundary(request.headers.get("content-type", ""))
    body: AsyncIterable[bytes] = first_part(request.stream(), border) if border else request.stream()
    target = _Digesting(location)
    try:
        async for piece in body:
            target.write(piece)
    except BaseException:
        target.close()
        location.unlink()
        raise
    return target.close()


def take_in(source: IO[bytes], location: Path) -> Arrival:
    """Copy a stream to `location`, a MiB at a time."""
    target = _Digesting(location)
    while piece := source.read(_PIECE):
        target.write(piece)
    return target.close()


def unpack(packed: Path, folder: Path) -> dict[str, Arrival]:
    """Unpack a zip or a tar, compressed or not, into `folder`, by numbers; arrivals by their paths.

    Raises 400 on anything else, and when a path would leave the resource.
    """
    with reading_packed("body: extract=true needs a whole zip or tar file"):
        return {
            names.file_path(path.removeprefix("./")): take_in(source, folder / str(number))
            for number, (path, source) in enumerate(_members(packed))
        }


@contextmanager
def reading_packed(sentence: str) -> Iterator[None]:
    """Turn whatever a damaged, encrypted or odd archive makes its reader raise into a 400."""
    try:
        yield
    except _DAMAGED as error:
        raise bad_request(sentence) from error
    except OSError as error:
        # A damaged table of contents makes the reader seek before the file's start; a full disk is another matter.
        if error.errno != errno.EINVAL:
            raise
        raise bad_request(sentence) from error


def _members(packed: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(packed):
        with zipfile.ZipFile(packed) as zipped:
            for member in zipped.infolist():
                if not member.is_dir():
                    yield member.filename, zipped.open(member)
        return
    with tarfile.open(packed) as tarred:
        for each in tarred:
            if each.isfile() and (source := tarred.extractfile(each)):
                yield each.name, source


def discard(location: Path) -> None:
    """Remove a staged file or folder, whichever it is, if it is still there."""
    if location.is_dir():
        shutil.rmtree(location)
    else:
        location.unlink(missing_ok=True)
