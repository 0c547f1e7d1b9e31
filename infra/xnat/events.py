"""Subscriptions of XNAT's event service, for the site and for a project's owners; deliveries are polled."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.xnat import bodies, happenings, roles
from infra.xnat.commands import ACTION_KEYS, WRAPPER
from infra.xnat.happenings import Happenings, event_of, event_types
from infra.xnat.kept import Kept
from infra.xnat.refusal import bad_request, not_found, not_served

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.model import Node

_FILE = "subscriptions"
_TOLD = ("name", "event-selector", "action-key", "attributes", "active", "act-as-event-user", "event-filter")


class Events:
    """Serves `/xapi/events` to administrators and `/xapi/projects/{project}/events` to owners."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept = Kept(archive.root / "settings")
        self._log = Happenings(archive.root / "events.sqlite", archive.now)
        self._subscriptions: dict[int, dict[str, Any]] = {s["id"]: s for s in self._kept.read(_FILE).get("all", [])}
        archive.watchers.append(self._follow)

    def _follow(self, what: str, node: Node) -> None:
        event = event_of(what, node)
        met = [number for number, each in self._subscriptions.items() if _meets(each, event, node)]
        self._log.note(event, node, met)

    def routes(self) -> list[Route]:
        return [
            Route("/xapi/events/prefs", self._prefs),
            Route("/xapi/events/events", self._types),
            Route("/xapi/events/allactions", self._actions),
            Route("/xapi/events/actionsbyevent", self._actions),
            *self._below("/xapi/events"),
            *self._below("/xapi/projects/{project}/events"),
        ]

    def _below(self, path: str) -> list[Route]:
        one = path + "/subscription/{id:int}"
        return [
            Route(f"{path}/subscriptions", self._list),
            Route(f"{path}/subscription", self._create, methods=["POST"]),
            Route(one, self._one),
            Route(one, self._replace, methods=["PUT"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(f"{one}/activate", self._activate, methods=["POST"]),
            Route(f"{one}/deactivate", self._activate, methods=["POST"]),
            Route(f"{path}/delivered", self._delivered),
        ]

    def _scope(self, request: Request) -> str | None:
        """Return the project whose subscriptions are meant, None for all of them, once the user may see them."""
        project: str | None = request.path_params.get("project")
        if project is None:
            roles.administrators_only(request)
            return None
        return roles.governed(self._archive, request.state.user, project).id

    async def _prefs(self, _: Request) -> Response:
        return JSONResponse({"enabled": True})

    async def _types(self, _: Request) -> Response:
        return JSONResponse([{"type": each.partition(":")[0], "event-selector": each} for each in event_types()])

    async def _actions(self, _: Request) -> Response:
        return JSONResponse([{"action-key": key, "display-name": WRAPPER["name"]} for key in sorted(ACTION_KEYS)])

    async def _list(self, request: Request) -> Response:
        scope = self._scope(request)
        return JSONResponse([each for each in self._subscriptions.values() if _in_scope(each, scope)])

    async def _create(self, request: Request) -> Response:
        scope, given = self._scope(request), await bodies.json_object(request)
        number = self._archive.next_number("subscriptions")
        self._keep(self._described(number, given, scope) | {"created-by": request.state.user.login})
        return PlainTextResponse(f"{given['name']}:{number}", HTTPStatus.CREATED)

    async def _one(self, request: Request) -> Response:
        return JSONResponse(self._found(request))

    async def _replace(self, request: Request) -> Response:
        found, given = self._found(request), await bodies.json_object(request)
        self._keep(found | self._described(found["id"], found | given, self._scope(request)))
        return Response()

    async def _activate(self, request: Request) -> Response:
        self._keep(self._found(request) | {"active": request.url.path.endswith("/activate")})
        return Response()

    async def _delete(self, request: Request) -> Response:
        del self._subscriptions[self._found(request)["id"]]
        self._save()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _delivered(self, request: Request) -> Response:
        scope, since = self._scope(request), request.query_params.get("since", "0")
        if not since.isdecimal():
            raise bad_request("since: give the id of the last row that you have seen")
        return JSONResponse(self._log.after(int(since), scope, happenings.MOST))

    def _found(self, request: Request) -> dict[str, Any]:
        scope = self._scope(request)
        found = self._subscriptions.get(request.path_params["id"])
        if found is None or not _in_scope(found, scope):
            raise not_found("subscription: there is none of that number")
        return found

    def _described(self, number: int, given: dict[str, Any], scope: str | None) -> dict[str, Any]:
        if not isinstance(given.get("name"), str) or not given["name"].isprintable() or not given["name"]:
            raise bad_request("name: give the subscription one, in one line")
        if given.get("event-selector") not in event_types():
            raise bad_request("event-selector: choose one that /xapi/events/events lists")
        if given.get("action-key") not in ACTION_KEYS:
            raise bad_request("action-key: choose one that /xapi/events/allactions lists")
        projects = [scope] if scope else self._projects(given.get("event-filter") or {})
        told = {key: given[key] for key in _TOLD if key in given}
        return {"active": True} | told | {"id": number, "event-filter": {"project-ids": projects}}

    def _projects(self, filter_: object) -> list[str]:
        """Return the projects that a filter names, none for all of them."""
        projects = filter_.get("project-ids", []) if isinstance(filter_, dict) else None
        if not isinstance(projects, list) or any(each not in self._archive.projects for each in projects):
            raise bad_request("event-filter: project-ids is a list of projects that exist")
        if isinstance(filter_, dict) and filter_.get("payload-filter"):
            raise not_served("payload-filter: this archive filters by project only")
        return projects

    def _keep(self, subscription: dict[str, Any]) -> None:
        self._subscriptions[subscription["id"]] = subscription
        self._save()

    def _save(self) -> None:
        self._kept.write(_FILE, {"all": list(self._subscriptions.values())})


def _meets(subscription: dict[str, Any], event: str, node: Node) -> bool:
    projects = subscription["event-filter"]["project-ids"]
    is_ours = not projects or node.project.id in projects
    return bool(subscription["active"]) and subscription["event-selector"] == event and is_ours


def _in_scope(subscription: dict[str, Any], scope: str | None) -> bool:
    return scope is None or subscription["event-filter"]["project-ids"] == [scope]
