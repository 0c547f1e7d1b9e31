"""The first file of a multipart/form-data body (RFC 7578), passed on piece by piece as it arrives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

_LONGEST_HEADER = 16_384


def boundary(content_type: str) -> bytes | None:
    """Return the line that parts the body, or None when the content is not multipart."""
    if not content_type.startswith("multipart/"):
        return None
    found = re.search(r'boundary="?([^";]{1,70})"?', content_type)
    if not found:
        raise bad_request("Content-Type: a multipart body needs its boundary parameter")
    return b"--" + found.group(1).encode()


async def first_part(body: AsyncIterable[bytes], border: bytes) -> AsyncIterator[bytes]:
    """Yield the content of the first part; raises 400 when the body ends before the part does."""
    end, held, inside = b"\r\n" + border, b"", False
    async for piece in body:
        held += piece
        if not inside:
            inside, held = _skip_header(held, border)
        found = held.find(end) if inside else -1
        if found >= 0:
            yield held[:found]
            return
        # The border may lie across two pieces: as many bytes as it is long are held back.
        if inside and len(held) > len(end):
            yield held[: -len(end)]
            held = held[-len(end) :]
    raise bad_request("body: the multipart body ends too early, send it again")


def _skip_header(held: bytes, border: bytes) -> tuple[bool, bytes]:
    """Cut off all up to the first part's content; False while that has not arrived."""
    start = held.find(border)
    end = held.find(b"\r\n\r\n", start) if start >= 0 else -1
    if end < 0 and len(held) > _LONGEST_HEADER:
        raise bad_request("body: no part begins within 16 KiB, check the boundary")
    return (True, held[end + 4 :]) if end >= 0 else (False, held)
