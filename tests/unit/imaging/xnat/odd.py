"""An XNAT that answers as a test wants it to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from trust_node.imaging.xnat import Xnat

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def xnat_that(answers: Handler) -> AsyncIterator[Xnat]:
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", answers)
    async with TestServer(app) as server, Xnat(str(server.make_url("")), "node", "pw", backoff_s=0.001) as client:
        yield client


def rows(*result: dict[str, str]) -> web.Response:
    return web.json_response({"ResultSet": {"Result": list(result), "totalRecords": str(len(result))}})
