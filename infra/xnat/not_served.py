"""What XNAT serves and this archive does not: each answers 501 with a sentence that says what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from infra.xnat.refusal import not_found, not_served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

ALL = ["GET", "PUT", "POST", "DELETE"]
SENTENCES = {
    "/data/search": "search: search documents are not read here, filter lists by ?field=value",
    "/data/search/saved/{rest:path}": "search: nothing is saved here",
    "/data/workflows/{rest:path}": "workflows: none run here, the trust node reports its own",
    "/data/services/validate-archive": "validate-archive: ask /data/services/archive, it stores nothing that conflicts",
    "/data/services/dicomdump": "dicomdump: read /xapi/dicomweb/projects/{project}/.../metadata instead",
    "/data/pars": "pars: nobody asks for access here, an owner adds members",
    "/xapi/archive/{rest:path}": "archive: use /data/services",
    "/xapi/containers": "containers: none run here, the trust node converts",
    "/xapi/containers/{rest:path}": "containers: none run here, the trust node converts",
    "/xapi/projects/{project}/wrappers/{rest:path}": "launch: nothing is launched here, the trust node converts",
    "/xapi/pacs": "pacs: the trust node queries the PACS",
    "/xapi/pacs/{rest:path}": "pacs: the trust node queries the PACS",
    "/xapi/dqr/{rest:path}": "dqr: the trust node queries the PACS",
    "/xapi/direct-archive": "direct-archive: an import is over when it is answered",
    "/xapi/dicomscp/{rest:path}": "dicomscp: this archive does not receive DICOM, the trust node does",
}


def routes() -> list[Route]:
    unserved = [Route(path, _told(sentence), methods=ALL) for path, sentence in SENTENCES.items()]
    return [
        *unserved,
        Route("/xapi/dicomscp", _told(SENTENCES["/xapi/dicomscp/{rest:path}"]), methods=["PUT", "POST", "DELETE"]),
        Route("/xapi/{rest:path}", _unknown, methods=ALL),
    ]


def _told(sentence: str) -> Callable[[Request], Awaitable[Response]]:
    async def tell(_: Request) -> Response:
        raise not_served(sentence)

    return tell


async def _unknown(_: Request) -> Response:
    raise not_found("address: /xapi has nothing there")
