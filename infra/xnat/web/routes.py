"""The routes of the page. A strict policy: nothing but our own style, script and pictures is loaded."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.xnat import bodies, roles
from infra.xnat.dicomweb import pixels
from infra.xnat.login import cookie
from infra.xnat.refusal import Refusal, bad_request, not_found
from infra.xnat.web import pages
from infra.xnat.web.slices import slice_files, slices

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.model import Node
    from infra.xnat.users import Accounts
    from infra.xnat.web.slices import Slice

_STATIC = Path(__file__).parent / "static"
_FILES = {"style.css": "text/css", "viewer.js": "text/javascript"}
_SCAN = "/web/projects/{project}/sessions/{session}/scans/{scan}"
_AT_ONCE = 200
_GUARDED = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Web:
    """Serves the page to whoever has logged in, and the form to log in to everybody."""

    def __init__(self, archive: Archive, accounts: Accounts) -> None:
        self._archive = archive
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route("/", self._front),
            Route("/favicon.ico", self._no_icon),
            Route("/web/login", self._log_in, methods=["POST"]),
            Route("/web/logout", self._log_out, methods=["POST"]),
            Route("/web/static/{name}", self._static),
            Route("/web/projects/{project}", self._sessions),
            Route("/web/projects/{project}/sessions/{session}", self._scans),
            Route(_SCAN, self._slices),
            Route(f"{_SCAN}/slices/{{number:int}}.png", self._picture),
        ]

    async def _front(self, request: Request) -> Response:
        user = request.state.user
        if user is None:
            return _html(pages.login_page(failed="failed" in request.query_params))
        return _html(pages.projects_page(user, [p for p in self._archive.projects.values() if user.role(p)]))

    async def _no_icon(self, _: Request) -> Response:
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _log_in(self, request: Request) -> Response:
        given = await bodies.form(request)
        try:
            user = self._accounts.check(given.get("username", ""), given.get("password", ""))
        except Refusal:
            return RedirectResponse("/?failed", HTTPStatus.SEE_OTHER)
        session = self._accounts.open_session(user)
        return RedirectResponse("/", HTTPStatus.SEE_OTHER, {"Set-Cookie": cookie(session)})

    async def _log_out(self, request: Request) -> Response:
        self._accounts.close_session(request.state.session)
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            raise not_found("file: there is none of that name")
        return FileResponse(_STATIC / name, media_type=_FILES[name], headers={"X-Content-Type-Options": "nosniff"})

    async def _sessions(self, request: Request) -> Response:
        project = self._project(request)
        start = _number(request, "from", 0)
        sessions = list(project.children["experiments"].values())
        shown = sessions[start : start + _AT_ONCE]
        more = start + _AT_ONCE if len(sessions) > start + _AT_ONCE else None
        return _html(pages.sessions_page(request.state.user, project, shown, start, more))

    async def _scans(self, request: Request) -> Response:
        return _html(pages.scans_page(request.state.user, self._session(request)))

    async def _slices(self, request: Request) -> Response:
        scan, window = self._scan(request), request.query_params.get("window", "")
        pixels.window_of(window)
        count = len(await self._ordered(scan))
        shown = min(max(_number(request, "slice", (count + 1) // 2), 1), max(count, 1))
        return _html(pages.slices_page(request.state.user, scan, count, shown, window))

    async def _picture(self, request: Request) -> Response:
        window = pixels.window_of(request.query_params.get("window"))
        number, ordered = request.path_params["number"], await self._ordered(self._scan(request))
        if not 1 <= number <= len(ordered):
            raise not_found("slice: there is none of that number")
        asked = ordered[number - 1]
        drawn = await anyio.to_thread.run_sync(
            pixels.picture, asked.location, asked.frame, window, limiter=pixels.drawing
        )
        return Response(drawn, media_type="image/png", headers=_GUARDED)

    async def _ordered(self, scan: Node) -> tuple[Slice, ...]:
        return await anyio.to_thread.run_sync(slices, slice_files(scan))

    def _project(self, request: Request) -> Node:
        return roles.readable(self._archive, request.state.user, request.path_params["project"])

    def _session(self, request: Request) -> Node:
        found = self._project(request).find("experiments", request.path_params["session"])
        if found is None:
            raise not_found("session: there is none of that name")
        return found

    def _scan(self, request: Request) -> Node:
        found = self._session(request).find("scans", request.path_params["scan"])
        if found is None:
            raise not_found("scan: there is none of that ID")
        return found


def _html(page: str) -> Response:
    return HTMLResponse(page, headers=_GUARDED)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if text and not (text.isdecimal() and text.isascii() and len(text) < 10):  # noqa: PLR2004  digits of any real count
        raise bad_request(f"{name}: give a whole number")
    return int(text) if text else default
