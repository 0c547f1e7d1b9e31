"""Bodies of many parts on their way out (multipart/related, PS3.18 8.6.1.2.1)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from infra.xnat.dicomweb.pixels import Frame

_PIECE = 1 << 20


def files_answer(locations: Iterable[Path]) -> Response:
    """Stream DICOM files, each one a part."""
    border = secrets.token_hex(16)
    return _answer(_files(locations, border), border, "application/dicom")


def frames_answer(frames: list[Frame]) -> Response:
    border = secrets.token_hex(16)
    parts = ((f"{each.media}; transfer-syntax={each.syntax}", each.content) for each in frames)
    pieces = (piece for head, content in parts for piece in (_head(border, head), content, b"\r\n"))
    return _answer([b"".join([*pieces, _end(border)])], border, frames[0].media)


def _files(locations: Iterable[Path], border: str) -> Iterator[bytes]:
    held = bytearray()
    for location in locations:
        held += _head(border, "application/dicom")
        with location.open("rb", buffering=0) as source:
            while piece := source.read(_PIECE):
                held += piece
                if len(held) >= _PIECE:
                    yield bytes(held)
                    held.clear()
        held += b"\r\n"
    yield bytes(held) + _end(border)


def _answer(pieces: Iterable[bytes], border: str, media: str) -> Response:
    return StreamingResponse(pieces, media_type=f'multipart/related; type="{media}"; boundary={border}')


def _head(border: str, media: str) -> bytes:
    return f"--{border}\r\nContent-Type: {media}\r\n\r\n".encode()


def _end(border: str) -> bytes:
    return f"--{border}--\r\n".encode()
