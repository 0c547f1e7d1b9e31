"""The routes of `/data/services` by which images come in and move: import, archive, prearchive, catalogues."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra.xnat import address, arriving, bodies, dicom, importing, members, ordering, roles
from infra.xnat.prearchive import CONFLICT, READY
from infra.xnat.refusal import Refusal, bad_request

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.dicom import Instance
    from infra.xnat.importing import Order
    from infra.xnat.model import Node
    from infra.xnat.ordering import Wish
    from infra.xnat.prearchive import Prearchive, Waiting

_HELD, _REPLACING = "0", "5"


class Services:
    """Serves what is done to images as a whole."""

    def __init__(self, archive: Archive, prearchive: Prearchive) -> None:
        self._archive = archive
        self._prearchive = prearchive

    def routes(self) -> list[Route]:
        return [
            Route("/data/services/import", self._import, methods=["POST"]),
            Route("/data/services/archive", self._archive_session, methods=["POST"]),
            Route("/data/services/prearchive/{action}", self._act, methods=["POST"]),
            Route("/data/services/refresh/catalog", self._refresh, methods=["POST"]),
        ]

    async def _import(self, request: Request) -> Response:
        """Read all that is sent aside, then store it; answer one address with CRLF."""
        wish = ordering.wish_of(request.query_params)
        if wish.named["project"]:
            self._check(request, wish.named["project"])
        instances, staged = [], (self._archive.incoming(), self._archive.incoming())
        staged[1].mkdir()
        try:
            instances = await self._receive(request, wish, *staged)
            order = wish.order(instances[0])
            # Asked once more: while the body came in, the project or the user's role may have gone.
            uri = self._settle(self._check(request, order.project), wish, order, instances, request.state.user.login)
        finally:
            for each in staged:
                arriving.discard(each)
        return PlainTextResponse(f"{uri}\r\n", HTTPStatus.OK)

    async def _receive(self, request: Request, wish: Wish, packed: Path, folder: Path) -> list[Instance]:
        if wish.named["project"] and wish.where == "archive":
            self._refuse_early(wish)
        arrival = await arriving.receive(request, packed, self._archive.limits)
        if wish.is_one_file:
            return [await anyio.to_thread.run_sync(dicom.read, arrival)]
        return await anyio.to_thread.run_sync(
            partial(dicom.read_packed, packed, folder, self._archive.limits, lenient=wish.is_lenient)
        )

    def _refuse_early(self, wish: Wish) -> None:
        """Refuse what can't be stored before its body is read."""
        if all(wish.named.values()):
            order = importing.Order(**wish.named, overwrite=wish.overwrite)
            importing.find_session(self._archive.projects[order.project], order)

    def _check(self, request: Request, project: str) -> Node:
        found = roles.readable(self._archive, request.state.user, project)
        members.check_access(request.state.user, address.Place(found, address.Step("experiments")), request.method)
        return found

    def _settle(self, project: Node, wish: Wish, order: Order, instances: list[Instance], by: str) -> str:
        """Put images where the query wants them; without a wish, where the project's code says.

        Codes: 0 holds them in the prearchive, 4 archives them, 5 archives and replaces. What conflicts then waits
        in the prearchive; who asked for the archive itself is told 409 instead.
        """
        code = project.fields.get("prearchive_code", "4")
        if wish.where == "prearchive" or (not wish.where and code == _HELD):
            return "/data" + self._prearchive.hold(project, order, instances, by, READY).uri
        if not wish.where and code == _REPLACING:
            order = importing.Order(order.project, order.subject, order.session, "delete")
        try:
            return importing.commit(self._archive, project, order, instances, by)
        except Refusal as refusal:
            if wish.where or refusal.status != HTTPStatus.CONFLICT:
                raise
            return "/data" + self._prearchive.hold(project, order, instances, by, CONFLICT).uri

    async def _archive_session(self, request: Request) -> Response:
        query = await _query(request)
        waiting = self._waiting(request, query.get("src", ""))
        # Without a wish a session that waits because of a conflict still is one.
        order = waiting.order(
            ordering.overwrite_of(query),
            project=query.get("project", ""),
            subject=query.get("subject", ""),
            session=query.get("session", ""),
        )
        roles.writable(self._archive, request.state.user, order.project)
        try:
            uri = self._prearchive.archive(waiting, order, request.state.user.login)
        except Refusal as refusal:
            if refusal.status == HTTPStatus.CONFLICT:
                self._prearchive.mark(waiting, CONFLICT)
            raise
        return PlainTextResponse(f"{uri}\r\n")

    async def _act(self, request: Request) -> Response:
        query = await _query(request)
        return self.act(request, request.path_params["action"], self._waiting(request, query.get("src", "")), query)

    def act(self, request: Request, action: str, waiting: Waiting, query: dict[str, str]) -> Response:
        """Move, delete or rebuild a session that waits; answers its address."""
        match action:
            case "delete":
                self._prearchive.discard(waiting)
            case "build" | "rebuild":
                self._prearchive.rebuild(waiting)
            case "move":
                target = roles.writable(self._archive, request.state.user, query.get("newProject", ""))
                waiting = self._prearchive.move(waiting, target)
            case _:
                raise bad_request("action: use move, delete, build or rebuild")
        return PlainTextResponse(f"{waiting.uri}\r\n")

    def _waiting(self, request: Request, src: str) -> Waiting:
        parts = src.removeprefix("/data").strip("/").split("/")
        if len(parts) != 5 or parts[:2] != ["prearchive", "projects"]:  # noqa: PLR2004  the five parts of its address
            raise bad_request("src: give /prearchive/projects/{project}/{timestamp}/{folder}")
        roles.writable(self._archive, request.state.user, parts[2])
        return self._prearchive.find(*parts[2:])

    async def _refresh(self, request: Request) -> Response:
        """Look at the files of a node or a resource again; what they are now is what is listed."""
        query = await _query(request)
        path = query.get("resource", "").removeprefix("/data").removeprefix("/archive").strip("/")
        place = address.locate(self._archive.projects, address.parse(path))
        members.check_access(request.state.user, place, request.method)
        found = [place.resource()] if place.resource_name else list(place.node().every_resource())
        for resource in found:
            self._archive.refresh(resource)
        return Response()


async def _query(request: Request) -> dict[str, str]:
    """Return what the query and a form in the body say together."""
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return dict(request.query_params) | (await bodies.form(request) if is_form else {})
