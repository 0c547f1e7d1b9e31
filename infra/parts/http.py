"""Asking a local HTTP server whether it is there."""

import urllib.error
import urllib.request
from base64 import b64encode
from http import HTTPStatus


def answers_ok(url: str, user: str = "", password: str = "", method: str = "GET", timeout_s: float = 2.0) -> bool:  # noqa: S107  empty: no authentication
    """Return whether the URL answers 200; connection errors are the caller's to judge (`OSError`)."""
    request = urllib.request.Request(url, method=method, data=b"{}" if method == "POST" else None)
    if user:
        request.add_header("Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return int(answer.status) == HTTPStatus.OK
    except urllib.error.HTTPError:
        return False
