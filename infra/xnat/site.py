"""The routes about the site itself: version, schemas, elements, settings, and lists that are always empty."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.xnat.answers import result_set
from infra.xnat.refusal import not_found
from infra.xnat.users import GROUPS

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.users import Accounts

VERSION = "1.9.0"
_SCHEMAS = {name: Path(__file__).with_name(f"{name}.xsd").read_text() for name in ("xdat", "xnat")}
_ELEMENTS = {"xnat:projectData": "Project", "xnat:subjectData": "Subject", "xnat:mrSessionData": "MR Session"}
_SITE = {"siteId": "XNAT", "requireLogin": True, "enableCsrfToken": False, "aliasTokenTimeout": "2 days"}


class Site:
    """Serves what is the same for every project."""

    def __init__(self, archive: Archive, accounts: Accounts) -> None:
        self._archive = archive
        self._accounts = accounts
        self._since = archive.now()

    def routes(self) -> list[Route]:
        return [
            Route("/health", self._health),
            Route("/xapi/siteConfig/buildInfo", self._build_info),
            Route("/xapi/schemas", self._schemas),
            Route("/xapi/schemas/{name}", self._schema),
            Route("/xapi/access/projects", self._access),
            Route("/data/search/elements", self._elements),
            Route("/data/search/elements/{name}", self._fields),
            Route("/data/search/saved", self._nothing),
            Route("/data/workflows", self._nothing),
            Route("/xapi/siteConfig", self._settings),
            Route("/xapi/siteConfig/uptime", self._uptime),
            Route("/xapi/siteConfig/{key}", self._setting),
            Route("/xapi/plugins", self._plugins),
            Route("/xapi/plugins/{id}", self._plugin),
            Route("/xapi/dicomscp", self._receivers),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "projects": len(self._archive.projects)})

    async def _build_info(self, _: Request) -> Response:
        return JSONResponse({"version": VERSION, "buildNumber": "0", "application": "trustflow infra.xnat"})

    async def _schemas(self, _: Request) -> Response:
        return JSONResponse(list(_SCHEMAS))

    async def _schema(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _SCHEMAS:
            raise not_found("schema: there is none of that name")
        return Response(_SCHEMAS[name], media_type="application/xml")

    async def _access(self, request: Request) -> Response:
        user = request.state.user
        roles = {project.id: user.role(project) for project in self._archive.projects.values()}
        return JSONResponse([{"ID": p, "role": GROUPS[role]} for p, role in roles.items() if role])

    async def _elements(self, _: Request) -> Response:
        rows = [{"ELEMENT_NAME": n, "SINGULAR": s, "PLURAL": f"{s}s", "SECURED": "true"} for n, s in _ELEMENTS.items()]
        return JSONResponse(result_set(rows))

    async def _fields(self, request: Request) -> Response:
        name = request.path_params["name"]
        row = {"FIELD_ID": "ID", "HEADER": "ID", "SUMMARY": f"{name}.ID", "TYPE": "string"}
        return JSONResponse(result_set([row]))

    async def _nothing(self, _: Request) -> Response:
        return JSONResponse(result_set([]))

    async def _settings(self, _: Request) -> Response:
        return JSONResponse(_SITE)

    async def _setting(self, request: Request) -> Response:
        key = request.path_params["key"]
        if key not in _SITE:
            raise not_found("siteConfig: there is no such setting")
        return JSONResponse(_SITE[key])

    async def _uptime(self, _: Request) -> Response:
        up = self._archive.now() - self._since
        hours, rest = divmod(up.seconds, 3600)
        return JSONResponse({"days": up.days, "hours": hours, "minutes": rest // 60, "seconds": rest % 60})

    async def _plugins(self, _: Request) -> Response:
        return JSONResponse({})

    async def _plugin(self, _: Request) -> Response:
        raise not_found("plugin: none is installed")

    async def _receivers(self, _: Request) -> Response:
        return JSONResponse([])
