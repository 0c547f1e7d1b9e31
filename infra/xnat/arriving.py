"""Bytes on their way in: from a request's body to a file that has no place yet."""

from __future__ import annotations

import errno
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
from infra.xnat.disk import Digests
from infra.xnat.multipart import boundary, first_part
from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterator
    from pathlib import Path

    from starlette.requests import Request

    from infra.xnat.limits import Allowance, Limits

_PIECE = 1 << 20
_LARGEST_ENTRY = 512  # bytes of a file's entry in a zip's table of contents, with a name of ordinary length
_LONGEST_TAIL = 65_557 + 20 + 56  # the end of a zip: its record with the longest comment, and the two of zip64
_ELSEWHERE = 0xFFFFFFFF
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
        self._digests = Digests()
        self.size = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._digests.update(piece)
        self.size += len(piece)

    def close(self) -> Arrival:
        self._file.close()
        return Arrival(self._location, self.size, self._digests.md5(), self._digests.crc32)


async def receive(request: Request, location: Path, limits: Limits) -> Arrival:
    """Write a request's body, raw or multipart, to `location`; nothing stays there when it breaks off.

    Raises 413 when it says it is larger than the limit, or when it turns out to be.
    """
    limits.check_body(int(request.headers.get("content-length", "0")))
    border = boundary(request.headers.get("content-type", ""))
    body: AsyncIterable[bytes] = first_part(request.stream(), border) if border else request.stream()
    target = _Digesting(location)
    try:
        async for piece in body:
            target.write(piece)
            limits.check_body(target.size)
    except BaseException:
        target.close()
        location.unlink()
        raise
    return target.close()


def take_in(source: IO[bytes], location: Path, allowance: Allowance) -> Arrival:
    """Copy a stream to `location`, a MiB at a time."""
    target = _Digesting(location)
    try:
        while piece := source.read(_PIECE):
            allowance.take(len(piece))
            target.write(piece)
    finally:
        arrival = target.close()
    return arrival


def unpack(packed: Path, folder: Path, limits: Limits) -> dict[str, Arrival]:
    """Unpack a zip or a tar, compressed or not, into `folder`, by numbers; arrivals by their paths.

    Raises 400 on anything else, on a path that would leave the resource, and on too many files; 413 on a bomb.
    """
    allowance = limits.unpacked(packed.stat().st_size)
    arrivals: dict[str, Arrival] = {}
    with reading_packed("body: send a whole zip or tar file"):
        for number, (path, source) in enumerate(_members(packed, allowance)):
            plain = names.file_path(path.removeprefix("./"))
            if plain in arrivals:
                raise bad_request("body: it packs two files of one name")
            arrivals[plain] = take_in(source, folder / str(number), allowance)
    return arrivals


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


def _members(packed: Path, allowance: Allowance) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(packed):
        yield from _zipped(packed, allowance)
        return
    # As a stream: a tar is never asked for a list of all it packs.
    with tarfile.open(packed, "r|*") as tarred:
        for each in tarred:
            allowance.member()
            # Skipping a member unpacks it as well, so what it says of its size counts.
            if not each.isfile():
                allowance.take(each.size)
            elif source := tarred.extractfile(each):
                yield each.name, source
            tarred.members = []  # type: ignore[attr-defined]  # else it keeps all it has seen


def _zipped(packed: Path, allowance: Allowance) -> Iterator[tuple[str, IO[bytes]]]:
    if directory_size(packed) > allowance.members * _LARGEST_ENTRY:
        raise bad_request("body: it packs more files than this archive takes at once")
    with zipfile.ZipFile(packed) as zipped:
        for member in zipped.infolist():
            allowance.member()
            if not member.is_dir():
                with zipped.open(member) as source:
                    yield member.filename, source


def directory_size(packed: Path) -> int:
    """Return how long a zip's table of contents says it is: all of it is read into memory at once."""
    with packed.open("rb") as file:
        file.seek(max(0, packed.stat().st_size - _LONGEST_TAIL))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        return 0
    (size,) = struct.unpack_from("<I", tail, end + 12)
    wide = tail.rfind(b"PK\x06\x06", 0, end)
    (wide_size,) = struct.unpack_from("<Q", tail, wide + 40) if wide >= 0 else (size,)
    return max(int(size) if size != _ELSEWHERE else 0, int(wide_size))


def discard(location: Path) -> None:
    """Remove a staged file or folder, whichever it is, if it is still there."""
    if location.is_dir():
        shutil.rmtree(location)
    else:
        location.unlink(missing_ok=True)
