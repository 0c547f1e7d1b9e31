"""The routes of DICOMweb: QIDO-RS and WADO-RS below `/xapi/dicomweb/projects/{project}`.

Who may read the project may read its studies; for anybody else there is none.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread
from pydicom.dataelem import RawDataElement
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from infra.xnat import roles
from infra.xnat.dicomweb import attributes, finding, pixels, related, searching
from infra.xnat.dicomweb.metadata import bulk_value, metadata
from infra.xnat.dicomweb.reading import header
from infra.xnat.refusal import Refusal, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.dicomweb.attributes import Attributes
    from infra.xnat.dicomweb.finding import Instance
    from infra.xnat.model import Node

_T = TypeVar("_T")
ROOT = "/xapi/dicomweb/projects/{project}"
_STUDY = ROOT + "/studies/{study}"
_SERIES = _STUDY + "/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_JSON = "application/dicom+json"
_PIECE = 1 << 20
_FRAMES_AT_ONCE = 100
_MANY_DIGITS = 10
_PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG"}


class DicomWeb:
    """Searches and retrieves; whatever reads files runs beside the event loop."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def routes(self) -> list[Route]:
        return [
            Route(f"{ROOT}/studies", self._studies),
            Route(f"{ROOT}/series", self._series),
            Route(f"{ROOT}/instances", self._instances),
            Route(f"{_STUDY}/series", self._series),
            Route(f"{_STUDY}/instances", self._instances),
            Route(f"{_SERIES}/instances", self._instances),
            *(Route(path, self._retrieve) for path in (_STUDY, _SERIES, _INSTANCE)),
            *(Route(f"{path}/metadata", self._metadata) for path in (_STUDY, _SERIES, _INSTANCE)),
            Route(f"{_INSTANCE}/frames/{{frames}}", self._frames),
            Route(f"{_INSTANCE}/rendered", self._rendered),
            Route(f"{_INSTANCE}/frames/{{frames}}/rendered", self._rendered),
            Route(f"{_INSTANCE}/bulkdata/{{path:path}}", self._bulk),
        ]

    def _project(self, request: Request) -> Node:
        return roles.readable(self._archive, request.state.user, request.path_params["project"])

    def _found(self, request: Request) -> list[Instance]:
        named = [request.path_params.get(level) for level in ("study", "series", "instance")]
        return finding.instances(self._project(request), *named)

    async def _studies(self, request: Request) -> Response:
        by_uid: dict[str, list[Node]] = {}
        for session in finding.studies(self._project(request)):
            by_uid.setdefault(session.fields["UID"], []).append(session)
        return await _searched(request, by_uid.values(), attributes.of_study)

    async def _series(self, request: Request) -> Response:
        scans = finding.series(self._project(request), request.path_params.get("study"))
        return await _searched(request, scans, attributes.of_series)

    async def _instances(self, request: Request) -> Response:
        return await _searched(request, self._found(request), attributes.of_instance)

    async def _retrieve(self, request: Request) -> Response:
        if not _accepts(request, "multipart/related", "application/dicom"):
            raise _not_acceptable('multipart/related; type="application/dicom"')
        return related.files_answer([each.location for each in self._found(request)])

    async def _metadata(self, request: Request) -> Response:
        if not _accepts(request, _JSON, "application/json"):
            raise _not_acceptable(_JSON)
        found, root = self._found(request), _root(request)
        return StreamingResponse(_listed(found, root), media_type=_JSON)

    async def _frames(self, request: Request) -> Response:
        location, accept = self._one(request), request.headers.get("accept", "*/*")
        is_any = any(each in accept for each in ("*/*", "transfer-syntax=*", "transfer-syntax=1.2.840.10008.1.2.4"))
        as_stored = is_any or "image/" in accept
        numbers = _numbers(request)
        frames = await anyio.to_thread.run_sync(
            lambda: [pixels.frame(location, number, as_stored=as_stored) for number in numbers], limiter=pixels.drawing
        )
        return related.frames_answer(frames)

    async def _rendered(self, request: Request) -> Response:
        location, (number, *_) = self._one(request), _numbers(request)
        media = next((each for each in _PICTURES if _accepts(request, each)), None)
        if media is None:
            raise _not_acceptable("image/png or image/jpeg")
        window = pixels.window_of(request.query_params.get("window"))
        drawn = await anyio.to_thread.run_sync(
            pixels.picture, location, number, window, _PICTURES[media], limiter=pixels.drawing
        )
        return Response(drawn, media_type=media, headers={"X-Content-Type-Options": "nosniff"})

    async def _bulk(self, request: Request) -> Response:
        location = self._one(request)
        dataset = await anyio.to_thread.run_sync(header, location)
        element = bulk_value(dataset, request.path_params["path"].split("/"))
        if isinstance(element, RawDataElement) and element.value is None and element.length:
            if element.length == 0xFFFFFFFF:  # noqa: PLR2004  DICOM's word for a length that is not told
                raise _not_acceptable("the instance's frames: its pixels are compressed")
            return StreamingResponse(_piece(location, element.value_tell, element.length))
        return Response(element.value or b"", media_type="application/octet-stream")

    def _one(self, request: Request) -> Path:
        return self._found(request)[0].location


async def _searched(request: Request, found: Iterable[_T], told: Callable[[_T, str], Attributes]) -> Response:
    """Answer a search: only what is asked for is told, but matching needs all of it."""
    if not _accepts(request, _JSON, "application/json"):
        raise _not_acceptable(_JSON)
    everything, root, query = list(found), _root(request), request.query_params.multi_items()
    results = await anyio.to_thread.run_sync(lambda: searching.found((told(each, root) for each in everything), query))
    return JSONResponse(results, media_type=_JSON)


def _listed(found: Iterable[Instance], root: str) -> Iterator[bytes]:
    yield b"["
    for number, each in enumerate(found):
        told = metadata(each.location, f"{root}/{each.address}")
        yield (b"," if number else b"") + json.dumps(told, allow_nan=False).encode()
    yield b"]"


def _piece(location: Path, start: int, length: int) -> Iterator[bytes]:
    with location.open("rb") as file:
        file.seek(start)
        while length and (piece := file.read(min(length, _PIECE))):
            length -= len(piece)
            yield piece


def _root(request: Request) -> str:
    return str(request.base_url) + ROOT[1:].replace("{project}", request.path_params["project"])


def _numbers(request: Request) -> list[int]:
    listed = request.path_params.get("frames", "1").split(",")
    plain = all(each.isdecimal() and len(each) < _MANY_DIGITS and int(each) for each in listed)
    if not plain or len(listed) > _FRAMES_AT_ONCE:
        raise bad_request("frames: give up to 100 numbers from 1, with commas between them")
    return [int(each) for each in listed]


def _accepts(request: Request, *media: str) -> bool:
    accept = request.query_params.get("accept") or request.headers.get("accept", "*/*")
    wild = {each.partition("/")[0] + "/*" for each in media} | {"*/*"}
    return any(each in accept for each in [*media, *wild])


def _not_acceptable(served: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_ACCEPTABLE, f"Accept: this comes as {served}")
