"""The one command that subscriptions may name: dcm2niix. It is listed, not run: the trust node converts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.xnat import roles
from infra.xnat.kept import Kept
from infra.xnat.refusal import bad_request, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive

PROVIDER = "org.nrg.containers.services.CommandActionProvider"
WRAPPER: dict[str, Any] = {
    "id": 1,
    "name": "dcm2niix-scan",
    "description": "Convert a scan's DICOM resource to NIfTI",
    "contexts": ["xnat:imageScanData"],
    "external-inputs": [{"name": "scan", "type": "Scan", "required": True}],
    "derived-inputs": [{"name": "scan-dicoms", "type": "Resource", "derived-from-wrapper-input": "scan"}],
    "output-handlers": [{"name": "nifti-resource", "as-a-child-of": "scan", "label": "NIFTI"}],
}
COMMAND: dict[str, Any] = {
    "id": 1,
    "name": "dcm2niix",
    "version": "1.0",
    "image": "xnat/dcm2niix:latest",
    "type": "docker",
    "description": "DICOM to NIfTI, done by the trust node",
    "xnat": [WRAPPER],
}
ACTION_KEYS = frozenset({f"{PROVIDER}:{WRAPPER['id']}", f"{PROVIDER}:{COMMAND['id']}"})


class Commands:
    """Serves `/xapi/commands`, and whether a project may use the wrapper."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept = Kept(archive.root / "settings" / "wrappers")

    def routes(self) -> list[Route]:
        enabled = "/xapi/projects/{project}/commands/{command}/wrappers/{wrapper}/enabled"
        return [
            Route("/xapi/commands", self._list),
            Route("/xapi/commands/available", self._available),
            Route("/xapi/commands/{command}", self._one),
            Route(enabled, self._is_enabled),
            Route(enabled, self._enable, methods=["PUT"]),
        ]

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        matches = all(query.get(name, COMMAND[name]) == COMMAND[name] for name in ("name", "version", "image"))
        return JSONResponse([COMMAND] if matches else [])

    async def _one(self, request: Request) -> Response:
        _known(request.path_params["command"])
        return JSONResponse(COMMAND)

    async def _available(self, request: Request) -> Response:
        project = roles.readable(self._archive, request.state.user, request.query_params.get("project", ""))
        told = {"command-id": 1, "command-name": COMMAND["name"], "wrapper-id": 1, "wrapper-name": WRAPPER["name"]}
        return JSONResponse([told | {"enabled": True}] if self._kept.read(project.id).get("enabled") else [])

    async def _is_enabled(self, request: Request) -> Response:
        project = roles.readable(self._archive, request.state.user, request.path_params["project"])
        _known_wrapper(request)
        return JSONResponse(bool(self._kept.read(project.id).get("enabled")))

    async def _enable(self, request: Request) -> Response:
        project = roles.governed(self._archive, request.state.user, request.path_params["project"])
        _known_wrapper(request)
        enable = request.query_params.get("enable", "true")
        if enable not in {"true", "false"}:
            raise bad_request("enable: say true or false")
        self._kept.write(project.id, {"enabled": enable == "true"})
        return Response()


def _known_wrapper(request: Request) -> None:
    _known(request.path_params["command"])
    if request.path_params["wrapper"] not in {WRAPPER["name"], str(WRAPPER["id"])}:
        raise not_found("wrapper: dcm2niix has one, dcm2niix-scan")


def _known(command: str) -> None:
    if command != str(COMMAND["id"]):
        raise not_found("command: there is one, dcm2niix, and its id is 1")
