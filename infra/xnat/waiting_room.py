"""The routes of `/data/prearchive`: lists of what waits, and the waiting sessions' scans and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from infra.xnat import answers, roles
from infra.xnat.refusal import not_found
from infra.xnat.serving import file_answer, table, zip_answer

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.model import Node, Resource
    from infra.xnat.prearchive import Prearchive, Waiting
    from infra.xnat.selecting import Row
    from infra.xnat.services import Services

_SESSION = "/data/prearchive/projects/{project}/{timestamp}/{folder}"
_FILES = _SESSION + "/scans/{scan}/resources/{resource}/files"


class WaitingRoom:
    """Shows each user what waits in the projects that they may write to."""

    def __init__(self, archive: Archive, prearchive: Prearchive, services: Services) -> None:
        self._archive = archive
        self._prearchive = prearchive
        self._services = services

    def routes(self) -> list[Route]:
        return [
            Route("/data/prearchive", self._all),
            Route("/data/prearchive/projects", self._all),
            Route("/data/prearchive/projects/{project}", self._of_project),
            Route(_SESSION, self._one),
            Route(_SESSION, self._delete, methods=["DELETE"]),
            Route(_SESSION, self._act, methods=["POST"]),
            Route(f"{_SESSION}/scans", self._scans),
            Route(f"{_SESSION}/scans/{{scan}}/resources", self._resources),
            Route(_FILES, self._files),
            Route(f"{_FILES}/{{path:path}}", self._file),
        ]

    async def _all(self, request: Request) -> Response:
        user, waiting = request.state.user, self._prearchive.sessions.values()
        shown = [each.row() for each in waiting if user.role(each.project) in {"owner", "member"}]
        return table(request, "prearchive", shown)

    async def _of_project(self, request: Request) -> Response:
        project = roles.writable(self._archive, request.state.user, request.path_params["project"])
        return table(request, "prearchive", [each.row() for each in self._prearchive.of(project.id)])

    def _found(self, request: Request) -> Waiting:
        asked = request.path_params
        roles.writable(self._archive, request.state.user, asked["project"])
        return self._prearchive.find(asked["project"], asked["timestamp"], asked["folder"])

    async def _one(self, request: Request) -> Response:
        waiting = self._found(request)
        if request.query_params.get("format") == "zip":
            return zip_answer(waiting.resources())
        return table(request, "prearchive", [waiting.row()])

    async def _delete(self, request: Request) -> Response:
        self._prearchive.discard(self._found(request))
        return Response()

    async def _act(self, request: Request) -> Response:
        query = dict(request.query_params)
        return self._services.act(request, query.get("action", ""), self._found(request), query)

    async def _scans(self, request: Request) -> Response:
        scans = self._found(request).node.children["scans"].values()
        return table(request, "scans", map(answers.row_of, scans))

    async def _resources(self, request: Request) -> Response:
        return table(request, "resources", map(answers.resource_row, self._scan(request).resources.values()))

    def _scan(self, request: Request) -> Node:
        scan = self._found(request).node.find("scans", request.path_params["scan"])
        if scan is None:
            raise not_found("scans: there is none of that ID here")
        return scan

    def _resource(self, request: Request) -> tuple[Node, Resource]:
        scan = self._scan(request)
        resource = scan.find_resource(request.path_params["resource"])
        if resource is None:
            raise not_found("resource: there is none of that label here")
        return scan, resource

    async def _files(self, request: Request) -> Response:
        scan, resource = self._resource(request)
        if request.query_params.get("format") == "zip":
            return zip_answer([(scan, resource)])
        base = request.url.path.removesuffix("/")
        return table(request, "files", [_row(scan, resource, path, base) for path in resource.files])

    async def _file(self, request: Request) -> Response:
        return file_answer(self._resource(request)[1], request.path_params["path"])


def _row(scan: Node, resource: Resource, path: str, base: str) -> Row:
    return answers.file_row(scan, resource, resource.files[path]) | {"URI": f"{base}/{path}"}
