"""The routes about the site itself: version, schemas, elements, accounts, the (empty) prearchive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.xnat.answers import result_set
from infra.xnat.refusal import bad_request, forbidden, not_found
from infra.xnat.users import GROUPS, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.users import Accounts

VERSION = "1.9.0"
_SCHEMAS = {name: Path(__file__).with_name(f"{name}.xsd").read_text() for name in ("xdat", "xnat")}
_ELEMENTS = {"xnat:projectData": "Project", "xnat:subjectData": "Subject", "xnat:mrSessionData": "MR Session"}
_CHANGES = {"firstName": "first_name", "lastName": "last_name", "email": "email", "enabled": "enabled"}


class Site:
    """Serves what is the same for every project."""

    def __init__(self, archive: Archive, accounts: Accounts) -> None:
        self._archive = archive
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route("/", self._front),
            Route("/health", self._health),
            Route("/xapi/siteConfig/buildInfo", self._build_info),
            Route("/xapi/schemas", self._schemas),
            Route("/xapi/schemas/{name}", self._schema),
            Route("/xapi/access/projects", self._access),
            Route("/xapi/users", self._logins),
            Route("/xapi/users", self._create_user, methods=["POST"]),
            Route("/xapi/users/profiles", self._profiles),
            Route("/xapi/users/profile/{login}", self._profile),
            Route("/xapi/users/{login}", self._change_user, methods=["PUT"]),
            Route("/xapi/users/{login}/enabled/{flag}", self._enable, methods=["PUT"]),
            Route("/data/users", self._people),
            Route("/data/search/elements", self._elements),
            Route("/data/search/elements/{name}", self._fields),
            Route("/data/prearchive", self._prearchive),
            Route("/data/prearchive/projects", self._prearchive),
            Route("/data/prearchive/projects/{project}", self._prearchive),
        ]

    async def _front(self, _: Request) -> Response:
        return PlainTextResponse(f"XNAT-compatible archive, REST routes of XNAT {VERSION}")

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

    async def _logins(self, _: Request) -> Response:
        return JSONResponse(sorted(self._accounts.users))

    async def _people(self, request: Request) -> Response:
        _administrators_only(request)
        return JSONResponse(result_set([user.row() for user in self._accounts.users.values()]))

    async def _profiles(self, request: Request) -> Response:
        _administrators_only(request)
        return JSONResponse([user.profile() for user in self._accounts.users.values()])

    async def _profile(self, request: Request) -> Response:
        login = request.path_params["login"]
        if login != request.state.user.login:
            _administrators_only(request)
        return JSONResponse(self._accounts.get(login).profile())

    async def _create_user(self, request: Request) -> Response:
        _administrators_only(request)
        given = await _json_object(request)
        user = User(login=str(given.get("username", "")), password=str(given.get("password", "")), **_said(given))
        self._accounts.create(user)
        return JSONResponse(user.profile(), 201)

    async def _change_user(self, request: Request) -> Response:
        given = await _json_object(request)
        password = {"password": str(given["password"])} if given.get("password") else {}
        return self._change(request, _said(given) | password)

    async def _enable(self, request: Request) -> Response:
        return self._change(request, {"enabled": request.path_params["flag"].lower() == "true"})

    def _change(self, request: Request, changes: Mapping[str, Any]) -> Response:
        _administrators_only(request)
        user = self._accounts.get(request.path_params["login"])
        if user.admin:
            raise forbidden("user: the administrator's account is set where the archive is started")
        self._accounts.change(user.login, **changes)
        return JSONResponse(self._accounts.get(user.login).profile())

    async def _elements(self, _: Request) -> Response:
        rows = [{"ELEMENT_NAME": n, "SINGULAR": s, "PLURAL": f"{s}s", "SECURED": "true"} for n, s in _ELEMENTS.items()]
        return JSONResponse(result_set(rows))

    async def _fields(self, request: Request) -> Response:
        name = request.path_params["name"]
        row = {"FIELD_ID": "ID", "HEADER": "ID", "SUMMARY": f"{name}.ID", "TYPE": "string"}
        return JSONResponse(result_set([row]))

    async def _prearchive(self, _: Request) -> Response:
        return JSONResponse(result_set([]))


def _administrators_only(request: Request) -> None:
    if not request.state.user.admin:
        raise forbidden("users: only an administrator may do this")


async def _json_object(request: Request) -> dict[str, Any]:
    try:
        given = await request.json()
    except json.JSONDecodeError as error:
        raise bad_request("body: send one JSON object") from error
    if not isinstance(given, dict):
        raise bad_request("body: send one JSON object")
    return given


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an account's fields under our names; a field that is not a string or a flag is refused."""
    said = {ours: given[theirs] for theirs, ours in _CHANGES.items() if theirs in given}
    for name, value in said.items():
        if not isinstance(value, bool if name == "enabled" else str):
            raise bad_request(f"{name}: its type is wrong")
    return said
