"""One spelling of every address: `/REST/...` and `/data/archive/projects...` are old names of `/data/...`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_REST = "/REST/"


def one_spelling(app: ASGIApp) -> ASGIApp:
    async def respell(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_REST):
            scope = {**scope, "path": "/data/" + scope["path"].removeprefix(_REST)}
        await app(scope, receive, send)

    return respell
