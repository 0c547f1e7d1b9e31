"""The wiring: routes, login, and how a refusal becomes an answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from infra.xnat import not_served
from infra.xnat.anonymize import Anonymize
from infra.xnat.commands import Commands
from infra.xnat.dicomweb.routes import DicomWeb
from infra.xnat.events import Events
from infra.xnat.login import Login, refused
from infra.xnat.people import People
from infra.xnat.prearchive import Prearchive
from infra.xnat.refusal import Refusal
from infra.xnat.rest_paths import one_spelling
from infra.xnat.services import Services
from infra.xnat.site import Site
from infra.xnat.tree import Tree
from infra.xnat.waiting_room import WaitingRoom
from infra.xnat.web.routes import Web

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.users import Accounts


def build_app(archive: Archive, accounts: Accounts) -> Starlette:
    """Build the ASGI application over an archive and its accounts."""
    login, prearchive = Login(accounts), Prearchive(archive)
    services = Services(archive, prearchive)
    parts = (
        login,
        Site(archive, accounts),
        People(archive, accounts),
        services,
        WaitingRoom(archive, prearchive, services),
        Anonymize(archive),
        Commands(archive),
        Events(archive),
        DicomWeb(archive),
        Web(archive, accounts),
    )
    routes = [route for part in parts for route in part.routes()]
    tree = Route("/data/{path:path}", Tree(archive, accounts).handle, methods=not_served.ALL)
    return Starlette(
        routes=[*routes, *not_served.routes(), tree],
        middleware=[Middleware(one_spelling), Middleware(login.admitting)],
        exception_handlers={Refusal: _refuse, ClientDisconnect: _gone},
    )


async def _refuse(_: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return refused(error)
    raise error


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)
