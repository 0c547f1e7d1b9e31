"""The wiring: routes, login, and how a refusal becomes an answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra.xnat import arriving, dicom, importing, members
from infra.xnat.address import Place, Step
from infra.xnat.login import Login, refused
from infra.xnat.refusal import Refusal, not_found
from infra.xnat.site import Site
from infra.xnat.tree import Tree

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.importing import Order
    from infra.xnat.model import Node
    from infra.xnat.users import Accounts

_ALL = ["GET", "PUT", "POST", "DELETE"]


def build_app(archive: Archive, accounts: Accounts) -> Starlette:
    """Build the ASGI application over an archive and its accounts."""
    login = Login(accounts)
    tree = Tree(archive, accounts)
    site = Site(archive, accounts)

    async def import_zip(request: Request) -> Response:
        return await _import(archive, request)

    routes = [
        *login.routes(),
        *site.routes(),
        Route("/data/services/import", import_zip, methods=["POST"]),
        Route("/data/{path:path}", tree.handle, methods=_ALL),
        Route("/REST/{path:path}", tree.handle, methods=_ALL),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(login.admitting)],
        exception_handlers={Refusal: _refuse, ClientDisconnect: _gone},
    )


async def _refuse(_: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return refused(error)
    raise error


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _import(archive: Archive, request: Request) -> Response:
    """Take a study's zip: read all of it aside, then store it; answer the session's address with CRLF."""
    order = importing.order_of(request.query_params)
    _check_import(archive, request, order)
    packed, folder = archive.incoming(), archive.incoming()
    folder.mkdir()
    try:
        await arriving.receive(request, packed)
        instances = await anyio.to_thread.run_sync(dicom.read_zip, packed, folder)
        project = _check_import(archive, request, order)
        session_uri = importing.commit(archive, project, order, instances, request.state.user.login)
    finally:
        arriving.discard(packed)
        arriving.discard(folder)
    return PlainTextResponse(f"{session_uri}\r\n", HTTPStatus.OK)


def _check_import(archive: Archive, request: Request, order: Order) -> Node:
    """Return the project to import into. Raises 404, 403 or 409; asked again once the body is here."""
    project = archive.projects.get(order.project)
    if project is None:
        raise not_found("project: there is none of that name, create it first")
    members.check_access(request.state.user, Place(project, Step("experiments")), request.method)
    importing.find_session(project, order)
    return project
