"""Cuts a multipart body into its parts as it comes (RFC 2046 5.1.1); holds a piece and a boundary, never a part."""

from collections.abc import Iterable, Iterator
from email.message import Message

from trust_node.imaging.pacs.troubles import PacsError, Trouble

LONGEST_HEADERS = 16_384
LONGEST_BOUNDARY = 70
END_OF_HEADERS = b"\r\n\r\n"


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type of `multipart/related` names.

    Raises
    ------
    PacsError
        If it is another type, or names none.
    """
    parsed = Message()
    parsed["Content-Type"] = content_type
    boundary = parsed.get_boundary("") or ""
    if parsed.get_content_type() != "multipart/related" or not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise PacsError(Trouble.NOT_DICOMWEB, "no multipart/related answer with a boundary")
    return boundary.encode("latin-1", "replace")


def parts(pieces: Iterable[bytes], boundary: bytes) -> Iterator[Iterator[bytes]]:
    """Yield the content of each part, in pieces; what the caller leaves of a part is skipped.

    Raises
    ------
    PacsError
        If the body ends before its last boundary, or headers are too long.
    """
    body = _Body(iter(pieces), b"\r\n--" + boundary)
    body.skip(body.until_boundary())
    while body.part_follows():
        content = body.until_boundary()
        yield content
        body.skip(content)


class _Body:
    def __init__(self, pieces: Iterator[bytes], delimiter: bytes) -> None:
        self._pieces = pieces
        self._delimiter = delimiter
        self._buffer = b"\r\n"  # the first boundary may stand at the very beginning

    def until_boundary(self) -> Iterator[bytes]:
        while (at := self._buffer.find(self._delimiter)) < 0:
            safe = max(0, len(self._buffer) - len(self._delimiter) + 1)
            if safe:
                content, self._buffer = self._buffer[:safe], self._buffer[safe:]
                yield content
            self._more()
        content, self._buffer = self._buffer[:at], self._buffer[at + len(self._delimiter) :]
        if content:
            yield content

    def part_follows(self) -> bool:
        """Read past the boundary's line and the part's headers, unless it was the last boundary."""
        while len(self._buffer) < len(b"--"):
            self._more()
        if self._buffer.startswith(b"--"):
            return False
        while (at := self._buffer.find(END_OF_HEADERS)) < 0:
            if len(self._buffer) > LONGEST_HEADERS:
                raise PacsError(Trouble.UNREADABLE, "endless headers of a part")
            self._more()
        self._buffer = self._buffer[at + len(END_OF_HEADERS) :]
        return True

    def skip(self, content: Iterator[bytes]) -> None:
        for _ in content:
            pass

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise PacsError(Trouble.CUT_OFF, "a multipart answer without an end")
        self._buffer += piece
