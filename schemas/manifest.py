"""Objects that events only name: a file cut into parts, and leave to write or read those parts.

A model or an update travels as a safetensors file without metadata, its tensors in the order in which the
safetensors library itself writes them (widest dtype first, then by name). One set of tensors thus has one layout
and one header: ``tensors`` alone tells where every value lies, and updates of one model can be folded part by
part.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from schemas.ids import Sha256
from schemas.message import Record

PART_SIZE = 8 * 2**20
"""Bytes in each part but the last: 8 MiB went through nginx twice as fast as 32 MiB."""

HEADER_LIMIT = 4 * 2**20
"""Bytes a safetensors header may have; a 25-million-parameter ResNet needs 16 KiB."""

DType = Literal["BOOL", "U8", "I8", "I16", "F16", "BF16", "I32", "F32", "F64", "I64"]
"""Element types by their safetensors names, in the order of that library's own enumeration."""

BYTES: dict[str, int] = {
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "F16": 2, "BF16": 2, "I32": 4, "F32": 4, "F64": 8, "I64": 8,
}  # fmt: skip
RANK: dict[str, int] = {dtype: rank for rank, dtype in enumerate(get_args(DType))}

Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=300),
]
Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=2000)]
Size = Annotated[int, Field(gt=0)]
Dimension = Annotated[int, Field(ge=0)]


class BadHeader(ValueError):
    """The bytes are not the header of a safetensors file in the canonical layout."""


class TensorSpec(Record):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    dtype: DType
    shape: Annotated[tuple[Dimension, ...], Field(max_length=16)]

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * BYTES[self.dtype]


SPECS = TypeAdapter(tuple[TensorSpec, ...])


class Part(Record):
    index: Annotated[int, Field(ge=0)]
    size: Size
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each tensor lies: ``spans`` are (start, stop) bytes of the file, in the order of ``tensors``."""

    tensors: tuple[TensorSpec, ...]
    header: bytes
    spans: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.spans[-1][1] if self.spans else len(self.header)


def layout(tensors: Iterable[TensorSpec]) -> Layout:
    """Lay tensors out as a safetensors file, whatever the order they come in."""
    ordered = tuple(sorted(tensors, key=lambda tensor: (-RANK[tensor.dtype], tensor.name)))
    offsets = tuple(_offsets(ordered))
    header = _header(ordered, offsets)
    return Layout(ordered, header, tuple((len(header) + start, len(header) + stop) for start, stop in offsets))


def _offsets(tensors: Iterable[TensorSpec]) -> Iterator[tuple[int, int]]:
    start = 0
    for tensor in tensors:
        yield start, start + tensor.size
        start += tensor.size


def _header(tensors: Iterable[TensorSpec], offsets: Iterable[tuple[int, int]]) -> bytes:
    entries = {
        tensor.name: {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": span}
        for tensor, span in zip(tensors, offsets, strict=True)
    }
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    padded = text + b" " * (-len(text) % 8)
    return len(padded).to_bytes(8, "little") + padded


def read_layout(start: bytes | memoryview) -> Layout:
    """Read the layout from the first bytes of a safetensors file; the whole header must be among them.

    Raises
    ------
    BadHeader
        cut, unreadable, or not exactly the header that `layout` gives for its tensors.
    """
    length = int.from_bytes(start[:8], "little")
    if length > min(HEADER_LIMIT, len(start) - 8):
        raise BadHeader(f"the header claims {length} bytes: write at most {HEADER_LIMIT} and send all of them")
    text = bytes(start[8 : 8 + length])
    found = layout(_specs(text))
    if found.header[8:] != text:
        raise BadHeader("the layout is not canonical: write the file with safetensors' save, without metadata")
    return found


def _specs(header: bytes) -> tuple[TensorSpec, ...]:
    try:
        entries = json.loads(header)
        return SPECS.validate_python([{**entry, "name": name} for name, entry in entries.items()])
    except (ValueError, TypeError, AttributeError, ValidationError, RecursionError) as error:
        raise BadHeader("the header does not list tensors: write the file with safetensors' save") from error


class Manifest(Record):
    """What an object is: its parts in order and, for a model or an update, its tensors in canonical order."""

    prefix: Prefix
    size: Size
    sha256: Sha256
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    tensors: tuple[TensorSpec, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if [part.index for part in self.parts] != list(range(len(self.parts))):
            raise ValueError("parts: number them 0, 1, 2 ... without a gap")
        if sum(part.size for part in self.parts) != self.size:
            raise ValueError("size: must be the sum of the parts' sizes")
        if whole_digest(self.parts) != self.sha256:
            raise ValueError("sha256: must be the digest of the parts' digests")
        if self.tensors and not self._fits(layout(self.tensors)):
            raise ValueError("tensors: must be in canonical order and fill the object exactly")
        return self

    def _fits(self, expected: Layout) -> bool:
        return expected.tensors == self.tensors and expected.size == self.size


def manifest_of(prefix: str, parts: Iterable[Part], tensors: Iterable[TensorSpec] = ()) -> Manifest:
    """Sum parts up; raises pydantic's ``ValidationError`` when they and the tensors disagree."""
    listed = tuple(parts)
    return Manifest(
        prefix=prefix,
        size=sum(part.size for part in listed),
        sha256=whole_digest(listed),
        parts=listed,
        tensors=layout(tensors).tensors,
    )


def whole_digest(parts: Iterable[Part]) -> str:
    """Sha256 over the parts' binary digests in order: known without reading any byte a second time."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(bytes.fromhex(part.sha256))
    return whole.hexdigest()


def cuts(size: int, part_size: int = PART_SIZE) -> tuple[tuple[int, int], ...]:
    """Return the (start, stop) bytes of every part of an object of ``size`` bytes."""
    return tuple((start, min(start + part_size, size)) for start in range(0, size, part_size))


def part_path(prefix: str, index: int) -> str:
    return f"{prefix}/{index:05d}"


class DownloadGrant(Record):
    """Leave to read one object until ``expires_at``: one signed GET address per part."""

    manifest: Manifest
    urls: tuple[Url, ...]
    expires_at: AwareDatetime

    @model_validator(mode="after")
    def _covers_the_parts(self) -> Self:
        if len(self.urls) != len(self.manifest.parts):
            raise ValueError("urls: one address per part of the manifest")
        return self


class UploadGrant(Record):
    """Leave to write one object of at most ``max_size`` bytes until ``expires_at``.

    One signed PUT address per possible part. A part can be written once: writing it again is answered 409.
    """

    prefix: Prefix
    urls: Annotated[tuple[Url, ...], Field(min_length=1)]
    part_size: Size
    max_size: Size
    expires_at: AwareDatetime

    @model_validator(mode="after")
    def _covers_the_size(self) -> Self:
        if len(self.urls) != len(cuts(self.max_size, self.part_size)):
            raise ValueError("urls: one address per possible part, max_size divided by part_size, rounded up")
        return self
