"""Small request bodies: forms, texts and JSON objects, read whole and never more than a limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from infra.xnat.refusal import bad_request, too_large

if TYPE_CHECKING:
    from starlette.requests import Request

_LARGEST_FORM = 8_192
_LARGEST_TEXT = 1 << 20


async def text(request: Request, most: int = _LARGEST_TEXT) -> str:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise too_large(f"body: at most {most} bytes are taken here")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise bad_request("body: send it as UTF-8") from error


async def form(request: Request) -> dict[str, str]:
    try:
        given = parse_qs(await text(request, _LARGEST_FORM), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise bad_request("body: send one form of few fields") from error
    return {key: values[0] for key, values in given.items()}


async def json_object(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await text(request))
    except (json.JSONDecodeError, RecursionError) as error:
        raise bad_request("body: send one JSON object") from error
    if not isinstance(given, dict):
        raise bad_request("body: send one JSON object")
    return given
