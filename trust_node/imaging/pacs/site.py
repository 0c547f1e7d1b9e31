"""A DICOMweb server and one connection to it; what it refuses becomes the trouble that it is."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from trust_node.imaging.pacs.troubles import PacsError, Trouble

DEFAULT_PORTS = {"http": 80, "https": 443}
REFUSALS: dict[int, Trouble] = {
    HTTPStatus.UNAUTHORIZED: Trouble.LOGIN_REFUSED,
    HTTPStatus.FORBIDDEN: Trouble.NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: Trouble.NOT_DICOMWEB,
    HTTPStatus.NOT_ACCEPTABLE: Trouble.SERVICE_REFUSED,
    HTTPStatus.TOO_MANY_REQUESTS: Trouble.BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: Trouble.BUSY,
}


@dataclass(frozen=True, slots=True)
class WebSite:
    """`url` ends where `/studies` begins; `authorization` is that header's whole value (`Bearer …`, `Basic …`).

    `ca_file` names whom to trust besides those the machine trusts. `timeout_s` bounds each wait.
    """

    url: str
    authorization: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in DEFAULT_PORTS or not urlsplit(self.url).hostname:
            raise ValueError("TRUSTFLOW_PACS_WEB_URL: an address that begins with https:// or http://")

    def line(self) -> "Line":
        """Return a connection that opens with its first request."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
        if parts.scheme == "https":
            trusted = ssl.create_default_context(cafile=self.ca_file)
            return Line(self, parts.path, HTTPSConnection(host, port, timeout=self.timeout_s, context=trusted))
        return Line(self, parts.path, HTTPConnection(host, port, timeout=self.timeout_s))


@dataclass(slots=True)
class Line:
    """One connection, closed at the end of `with`."""

    site: WebSite
    base: str
    connection: HTTPConnection
    _socket: socket.socket | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def get(self, path: str, accept: str) -> HTTPResponse:
        """Ask; return the answer with its body unread.

        Raises
        ------
        PacsError
            If nobody answers, or with anything but success. Redirections are not followed: they could lead anywhere.
        """
        headers = {"Accept": accept}
        if self.site.authorization:
            headers["Authorization"] = self.site.authorization
        try:
            self.connection.request("GET", self.base.rstrip("/") + path, headers=headers)
            self._socket = self.connection.sock  # which an answer that ends with the connection takes from it
            response = self.connection.getresponse()
        except (OSError, HTTPException) as error:
            raise PacsError(_trouble_connecting(error)) from None
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise PacsError(REFUSALS.get(response.status, Trouble.REFUSED), f"status {response.status}")
        return response

    def read(self, response: HTTPResponse, most: int) -> bytes:
        """Return the body, or its first `most` bytes."""
        return self._read(response.read, most)

    def read_some(self, response: HTTPResponse, most: int) -> bytes:
        """Return what of the body has come, at most so many bytes; none at its end."""
        return self._read(response.read1, most)

    def _read(self, read: Callable[[int], bytes], most: int) -> bytes:
        try:
            return read(most)
        except TimeoutError:
            raise PacsError(Trouble.STALLED) from None
        except (OSError, HTTPException, ValueError) as error:
            raise PacsError(Trouble.CUT_OFF, type(error).__name__) from None

    def cut(self) -> None:
        """End whatever waits on this connection, from another thread."""
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


def _trouble_connecting(error: OSError | HTTPException) -> Trouble:
    match error:
        case ssl.SSLCertVerificationError():
            return Trouble.CERTIFICATE
        case socket.gaierror():
            return Trouble.HOST_UNKNOWN
        case ConnectionRefusedError():
            return Trouble.PORT_CLOSED
        case TimeoutError():
            return Trouble.HOST_SILENT
        case OSError() if not isinstance(error, ConnectionError):
            return Trouble.HOST_SILENT
        case _:
            return Trouble.NOT_DICOMWEB
