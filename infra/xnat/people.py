"""The routes about accounts: users, their roles and groups, and alias tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.xnat import bodies, roles
from infra.xnat.answers import result_set
from infra.xnat.refusal import bad_request, forbidden, not_found
from infra.xnat.users import TOKEN_LIFE_S, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.users import Accounts

_CHANGES = {"firstName": "first_name", "lastName": "last_name", "email": "email", "enabled": "enabled"}
_ADMINISTRATOR = "Administrator"


class People:
    """Serves `/xapi/users`, `/data/users` and the alias tokens."""

    def __init__(self, archive: Archive, accounts: Accounts) -> None:
        self._archive = archive
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route("/data/users", self._people),
            Route("/xapi/users", self._logins),
            Route("/xapi/users", self._create, methods=["POST"]),
            Route("/xapi/users/active", self._active),
            Route("/xapi/users/authProviders", self._providers),
            Route("/xapi/users/profiles", self._profiles),
            Route("/xapi/users/profile/{login}", self._profile),
            Route("/xapi/users/{login}", self._profile),
            Route("/xapi/users/{login}", self._change_fields, methods=["PUT"]),
            Route("/xapi/users/{login}/enabled/{flag}", self._enable, methods=["PUT"]),
            Route("/xapi/users/{login}/roles", self._roles),
            Route("/xapi/users/{login}/roles/{role}", self._set_role, methods=["PUT", "DELETE"]),
            Route("/xapi/users/{login}/groups", self._groups),
            *(route for path in ("/data/services/tokens", "/xapi/tokens") for route in self._tokens(path)),
        ]

    def _tokens(self, path: str) -> list[Route]:
        return [
            Route(f"{path}/issue", self._issue),
            Route(f"{path}/issue/user/{{login}}", self._issue),
            Route(f"{path}/validate/{{alias}}/{{secret}}", self._validate),
            Route(f"{path}/invalidate/{{alias}}", self._invalidate),
        ]

    async def _logins(self, _: Request) -> Response:
        return JSONResponse(sorted(self._accounts.users))

    async def _people(self, request: Request) -> Response:
        roles.administrators_only(request)
        return JSONResponse(result_set([user.row() for user in self._accounts.users.values()]))

    async def _active(self, request: Request) -> Response:
        roles.administrators_only(request)
        return JSONResponse({login: {"count": count} for login, count in self._accounts.active().items()})

    async def _providers(self, _: Request) -> Response:
        return JSONResponse({"localdb": "Database"})

    async def _profiles(self, request: Request) -> Response:
        roles.administrators_only(request)
        return JSONResponse([user.profile() for user in self._accounts.users.values()])

    async def _profile(self, request: Request) -> Response:
        return JSONResponse(self._asked(request).profile())

    def _asked(self, request: Request) -> User:
        """Return the account that a route names: one's own, or an administrator's choice."""
        login = request.path_params["login"]
        if login != request.state.user.login:
            roles.administrators_only(request)
        return self._accounts.get(login)

    async def _create(self, request: Request) -> Response:
        roles.administrators_only(request)
        given = await bodies.json_object(request)
        user = User(login=str(given.get("username", "")), password=str(given.get("password", "")), **_said(given))
        self._accounts.create(user)
        return JSONResponse(user.profile(), 201)

    async def _change_fields(self, request: Request) -> Response:
        given = await bodies.json_object(request)
        password = {"password": str(given["password"])} if given.get("password") else {}
        return self._change(request, _said(given) | password)

    async def _enable(self, request: Request) -> Response:
        return self._change(request, {"enabled": request.path_params["flag"].lower() == "true"})

    def _change(self, request: Request, changes: Mapping[str, Any]) -> Response:
        roles.administrators_only(request)
        user = self._accounts.get(request.path_params["login"])
        if self._accounts.is_built_in(user.login):
            raise forbidden("user: the administrator's account is set where the archive is started")
        self._accounts.change(user.login, **changes)
        return JSONResponse(self._accounts.get(user.login).profile())

    async def _roles(self, request: Request) -> Response:
        return JSONResponse([_ADMINISTRATOR] if self._asked(request).admin else [])

    async def _set_role(self, request: Request) -> Response:
        if request.path_params["role"] != _ADMINISTRATOR:
            raise not_found("role: there is one, Administrator")
        return self._change(request, {"admin": request.method == "PUT"})

    async def _groups(self, request: Request) -> Response:
        login = self._asked(request).login
        keys = {project.id: project.members.get(login) for project in self._archive.projects.values()}
        return JSONResponse([f"{project}_{key}" for project, key in keys.items() if key])

    async def _issue(self, request: Request) -> Response:
        login = request.path_params.get("login", request.state.user.login)
        if login != request.state.user.login and not request.state.user.admin:
            raise forbidden("token: only an administrator issues one for another user")
        alias, secret = self._accounts.issue_token(self._accounts.get(login))
        until = int((time.time() + TOKEN_LIFE_S) * 1000)
        told = {"alias": alias, "secret": secret, "xdatUserId": login, "singleUse": False}
        return JSONResponse(told | {"estimatedExpirationTime": until})

    async def _validate(self, request: Request) -> Response:
        alias, secret = request.path_params["alias"], request.path_params["secret"]
        self._accounts.token_holder(alias)
        return JSONResponse({"valid": self._accounts.check(alias, secret).login})

    async def _invalidate(self, request: Request) -> Response:
        alias = request.path_params["alias"]
        if self._accounts.token_holder(alias) != request.state.user.login:
            roles.administrators_only(request)
        self._accounts.withdraw_token(alias)
        return JSONResponse({"result": "OK"})


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an account's fields under our names; a field that is not a string or a flag is refused."""
    said = {ours: given[theirs] for theirs, ours in _CHANGES.items() if theirs in given}
    for name, value in said.items():
        if not isinstance(value, bool if name == "enabled" else str):
            raise bad_request(f"{name}: its type is wrong")
    return said
