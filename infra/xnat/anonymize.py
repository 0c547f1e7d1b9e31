"""Anonymisation scripts of the site and of projects: kept for whoever applies them.

Nothing is applied here: the trust node de-identifies before it imports, and reads the project's script from here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.xnat import bodies, roles
from infra.xnat.kept import Kept
from infra.xnat.refusal import bad_request, conflict

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.model import Node

DEFAULT = 'version "6.3"\n'
_SITE = "-site"  # no project's ID starts with a hyphen


class Anonymize:
    """Serves `/xapi/anonymize`. A script that is unset or disabled reads as 204, as XNAT has it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept = Kept(archive.root / "settings" / "anonymize")
        archive.watchers.append(self._follow)

    def _follow(self, what: str, node: Node) -> None:
        if (what, node.kind) == ("DELETED", "projects"):
            self._kept.drop(node.id)

    def routes(self) -> list[Route]:
        below = "/xapi/anonymize/projects/{project}"
        return [
            Route("/xapi/anonymize/default", self._default),
            Route("/xapi/anonymize/site", self._read),
            Route("/xapi/anonymize/site", self._write, methods=["PUT"]),
            Route("/xapi/anonymize/site/enabled", self._is_enabled),
            Route("/xapi/anonymize/site/enabled", self._enable, methods=["PUT"]),
            Route(below, self._read),
            Route(below, self._write, methods=["PUT"]),
            Route(f"{below}/enabled", self._is_enabled),
            Route(f"{below}/enabled", self._enable, methods=["PUT"]),
        ]

    def _named(self, request: Request) -> str:
        """Return under which name the script is kept, once the user may do what is asked."""
        project, reading = request.path_params.get("project"), request.method in {"GET", "HEAD"}
        if project is None:
            if not reading:
                roles.administrators_only(request)
            return _SITE
        check = roles.readable if reading else roles.governed
        return check(self._archive, request.state.user, project).id

    async def _default(self, _: Request) -> Response:
        return PlainTextResponse(DEFAULT)

    async def _read(self, request: Request) -> Response:
        script = self._kept.read(self._named(request))
        return PlainTextResponse(script["text"]) if script.get("enabled") else Response(status_code=204)

    async def _write(self, request: Request) -> Response:
        name, text = self._named(request), await bodies.text(request)
        if not text.strip():
            raise bad_request("body: send the script as text/plain")
        self._kept.write(name, {"text": text, "enabled": True})
        return Response()

    async def _is_enabled(self, request: Request) -> Response:
        return JSONResponse(bool(self._kept.read(self._named(request)).get("enabled")))

    async def _enable(self, request: Request) -> Response:
        name, enable = self._named(request), request.query_params.get("enable")
        if enable not in {"true", "false"}:
            raise bad_request("enable: say ?enable=true or ?enable=false")
        script = self._kept.read(name)
        if not script:
            raise conflict("script: there is none to enable yet, PUT it first")
        self._kept.write(name, script | {"enabled": enable == "true"})
        return Response(status_code=HTTPStatus.OK)
