"""Asking a local HTTP server whether it is there."""

import http.client
from base64 import b64encode
from http import HTTPStatus

TIMEOUT_S = 2.0


def answers_ok(port: int, path: str = "/health") -> bool:
    """Return whether a GET on the loopback interface answers 200; raises `OSError` when nobody listens."""
    return _status(port, "GET", path, None, {}) == HTTPStatus.OK


def accepts_post(port: int, path: str, user: str, password: str) -> bool:
    """Return whether an empty JSON object, posted with Basic authentication, is answered with 200."""
    token = b64encode(f"{user}:{password}".encode()).decode()
    return _status(port, "POST", path, b"{}", {"Authorization": f"Basic {token}"}) == HTTPStatus.OK


def _status(port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    except http.client.HTTPException as broken:
        raise ConnectionError(f"port {port} answers, but not in HTTP") from broken
    finally:
        connection.close()
