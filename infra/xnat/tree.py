"""The `/data` routes below projects, subjects, experiments, scans, resources and files."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.responses import JSONResponse, PlainTextResponse, Response

from infra.xnat import address, answers, arriving, documents, fields, members, names, projects
from infra.xnat.refusal import Refusal, bad_request, not_served
from infra.xnat.serving import file_answer, table, zip_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from infra.xnat.address import Place
    from infra.xnat.archive import Archive
    from infra.xnat.model import Node, Resource
    from infra.xnat.selecting import Row
    from infra.xnat.users import Accounts, User

_NODES = {"projects", "subjects", "experiments", "scans"}
_ALWAYS_EMPTY = {"assessors", "reconstructions"}


@dataclass(frozen=True, slots=True)
class Tree:
    """Answers requests for addresses in the archive, as far as the user's role in the project allows."""

    archive: Archive
    accounts: Accounts

    async def handle(self, request: Request) -> Response:
        place = self._locate(request)
        match request.method:
            case "GET" | "HEAD":
                return self._read(request, place)
            case "DELETE":
                return self._delete(place)
            case _:
                return await self._write(request, place)

    def _locate(self, request: Request) -> Place:
        place = address.locate(self.archive.projects, address.parse(request.path_params["path"]))
        members.check_access(request.state.user, place, request.method)
        return place

    def _read(self, request: Request, place: Place) -> Response:
        last = place.last
        if last.collection in members.SETTINGS:
            return PlainTextResponse(members.setting(place))
        if last.collection in _NODES and last.name:
            return _item(request, place.node())
        if last.collection == "resources" and last.name:
            return JSONResponse(answers.resource_items(place.resource()))
        if last.collection == "files" and last.name:
            return file_answer(place.resource(), last.name)
        if request.query_params.get("format") == "zip" and last.collection in {"files", "resources"}:
            return zip_answer(_resources(place))
        return table(request, last.collection, self._rows(request, place))

    def _rows(self, request: Request, place: Place) -> list[Row]:
        collection, user = place.last.collection, request.state.user
        if collection == "projects":
            return projects.rows(self._listed(user, place), user, request.query_params)
        if collection in _NODES:
            return [answers.row_of(node) for node in self._listed(user, place)]
        if collection == "resources":
            return [answers.resource_row(r) for owner in place.owners for r in owner.resources.values()]
        if collection == "files":
            return [answers.file_row(o, r, f) for o, r in _resources(place) for f in r.files.values()]
        if collection == "users":
            return members.rows(self.accounts, place.parent())
        return []

    def _listed(self, user: User, place: Place) -> Iterator[Node]:
        kind = place.kind
        if place.above:
            return place.above.under(kind)
        projects = [p for p in self.archive.projects.values() if user.role(p)]
        if kind == "projects":
            return iter(projects)
        return (node for project in projects for node in project.under(kind))

    def _delete(self, place: Place) -> Response:
        collection = place.last.collection
        if collection == "users":
            members.remove(self.archive, self.accounts, place)
        elif collection == "resources":
            self.archive.delete_resource(_owner(place), place.resource())
        elif collection == "files":
            self.archive.delete_file(place.resource(), place.last.name or "")
        else:
            self.archive.delete(place.node())
        return Response()

    async def _write(self, request: Request, place: Place) -> Response:
        last, user = place.last, request.state.user
        if last.name is None:
            raise bad_request(f"address: a name is missing after {last.collection!r}")
        if last.collection in members.SETTINGS:
            members.set_setting(self.archive, place)
            return Response()
        if last.collection == "users":
            members.add(self.archive, self.accounts, place)
            return table(request, "users", members.rows(self.accounts, place.parent()))
        if last.collection == "resources":
            self.archive.ensure_resource(_owner(place), last.name, fields.notes(request.query_params))
            return Response()
        if last.collection == "files":
            return await self._store(request, place)
        return self._put_node(request, place, user)

    def _put_node(self, request: Request, place: Place, user: User) -> Response:
        if place.last.collection in _ALWAYS_EMPTY:
            raise not_served(f"{place.last.collection}: this archive keeps none")
        if "xml" in request.headers.get("content-type", ""):
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body: give fields in the query, not as XML")
        given = fields.fields_of(request.query_params)
        if place.found:
            self.archive.update(place.found, given)
            return PlainTextResponse(place.found.id)
        parent, described = fields.completed(place, given)
        node = self.archive.create(place.kind, place.last.name or "", parent, described, user.login)
        if node.kind == "projects":
            self.archive.set_members(node, {user.login: "owner"})
        return PlainTextResponse(node.id, HTTPStatus.CREATED)

    async def _store(self, request: Request, place: Place) -> Response:
        query, path = request.query_params, names.file_path(place.last.name or "")
        if query.get("reference"):
            raise not_served("reference: files on the archive's own machine are not taken, send the file")
        packed, folder = self.archive.incoming(), self.archive.incoming()
        folder.mkdir()
        try:
            arrivals = {path: await arriving.receive(request, packed, self.archive.limits)}
            if query.get("extract") == "true":
                arrivals = await anyio.to_thread.run_sync(arriving.unpack, packed, folder, self.archive.limits)
            # While the body came in, somebody may have removed the place it was meant for.
            owner = _owner(self._locate(request))
            resource = self.archive.ensure_resource(owner, place.resource_name or "")
            self.archive.store(resource, arrivals, fields.notes(query), overwrite=query.get("overwrite") == "true")
        finally:
            arriving.discard(packed)
            arriving.discard(folder)
        return Response()


def _owner(place: Place) -> Node:
    if len(place.owners) != 1:
        raise bad_request("scans: name one scan to write to")
    return place.owners[0]


def _resources(place: Place) -> list[tuple[Node, Resource]]:
    if place.resource_name is None:
        return [(owner, resource) for owner in place.owners for resource in owner.resources.values()]
    found = [(owner, owner.find_resource(place.resource_name)) for owner in place.owners]
    place.resource()
    return [(owner, resource) for owner, resource in found if resource]


def _item(request: Request, node: Node) -> Response:
    if request.query_params.get("format") == "xml":
        return Response(documents.item_xml(node), media_type="application/xml")
    return JSONResponse(answers.items(node))
