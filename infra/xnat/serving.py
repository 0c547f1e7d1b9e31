"""Tables, files and zips on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from infra.xnat import answers, documents, selecting
from infra.xnat.refusal import not_found
from infra.xnat.zipping import entry, stream_zip, zip_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from infra.xnat.model import Node, Resource
    from infra.xnat.selecting import Row

# A file in the archive is somebody's upload: a browser shall neither guess its type nor run what it holds.
_INERT = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Cache-Control": "no-store"}


class _LargePieces(FileResponse):
    chunk_size = 1 << 20


def file_answer(resource: Resource, path: str) -> Response:
    """Send one file, or the ranges of it that are asked for."""
    stored = resource.files.get(path)
    if stored is None:
        raise not_found("file: there is none of that name in this resource")
    return _LargePieces(resource.location(stored.path), media_type="application/octet-stream", headers=_INERT)


def zip_answer(resources: Iterable[tuple[Node, Resource]]) -> Response:
    entries = [entry(owner, resource, file) for owner, resource in resources for file in resource.files.values()]
    headers = {"Content-Length": str(zip_size(entries))}
    return StreamingResponse(stream_zip(entries), media_type="application/zip", headers=headers)


def table(request: Request, collection: str, rows: Iterable[Row]) -> Response:
    """Answer a list as JSON, CSV or XML, with the columns, filters and order that the query asks for."""
    chosen = selecting.select(rows, collection, request.query_params)
    match request.query_params.get("format"):
        case "csv":
            return PlainTextResponse(answers.as_csv(chosen), media_type="text/csv")
        case "xml":
            return Response(documents.table_xml(chosen), media_type="application/xml")
        case _:
            return JSONResponse(answers.result_set(chosen))
