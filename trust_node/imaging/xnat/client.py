"""Projects, sessions and files of any XNAT 1.8 or later, spoken to through its REST routes only."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote, unquote

import aiohttp

from trust_node.imaging.xnat.errors import PrearchivedError, XnatRefusedError
from trust_node.imaging.xnat.wire import Wire

PIECE_BYTES = 1 << 20
IMPORT_PATIENCE_S = 900.0
_ARCHIVED = re.compile(r"/data/archive/projects/[^/\s]+/subjects/[^/\s]+/experiments/[^/\s]+")
_SCAN = re.compile(r"/scans/([^/]+)/")


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of a resource; `uri` is a path below the server, `size` in bytes.

    `scan` is empty for a file that hangs from no scan, `digest` (MD5) for a server that keeps none.
    """

    scan: str
    resource: str
    name: str
    uri: str
    size: int
    digest: str = ""


@dataclass(slots=True)
class Xnat:
    """A logged-in client, used as `async with Xnat(url, user, password) as xnat`.

    Every call may raise XnatUnreachableError and XnatRefusedError; how requests are repeated stands at `Wire`.
    """

    url: str
    user: str
    password: str = field(repr=False)
    attempts: int = 4
    backoff_s: float = 0.5
    wire: Wire = field(init=False, repr=False)
    _creating: asyncio.Lock = field(init=False, repr=False, default_factory=asyncio.Lock)

    async def __aenter__(self) -> Self:
        self.wire = Wire(self.url, self.user, self.password, self.attempts, self.backoff_s)
        self.wire.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.wire.close()

    async def ensure_project(self, hub_project_id: str, hub_project_name: str) -> str:
        """Return the id of the XNAT project that stands for a hub project; make it when there is none.

        Named as FLIP does: a fresh UUID, the hub's id as secondary id, `"<name>:<hub id>-FL-Project"` as title.
        """
        async with self._creating:
            existing = await self._project_of(hub_project_id)
            return existing or await self._create_project(hub_project_id, hub_project_name)

    async def delete_project(self, project: str) -> None:
        """Delete a project with all its files; one that is gone already is no error."""
        await self._delete(f"/data/projects/{quote(project)}")

    async def delete_session(self, project: str, session: str) -> None:
        """Delete a session with all its files; one that is gone already is no error."""
        await self._delete(session_address(project, session))

    async def import_session(self, project: str, subject: str, session: str, archive: Path) -> str:
        """Send a zip of one study's DICOM files into a session; return the session's address.

        Sending it again replaces the same files and adds the missing ones.

        Raises
        ------
        PrearchivedError
            When the session ended in the prearchive.
        XnatRefusedError
            Also when XNAT answers 200 and no session's address, as it does for conflicts.
        """
        params = {
            "import-handler": "DICOM-zip",
            "dest": "/archive",
            "project": project,
            "subject": subject,
            "session": session,
            "overwrite": "delete",
        }
        try:
            answer = await self.wire.upload(
                "POST", "/data/services/import", params, lambda: archive.open("rb"), IMPORT_PATIENCE_S
            )
        except XnatRefusedError as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise
            raise await self._not_archived(project, session, refused.status) from refused
        found = _ARCHIVED.search(answer)
        if found is None:
            raise await self._not_archived(project, session, HTTPStatus.OK)
        return found.group()

    async def list_sessions(self, project: str) -> list[str]:
        """Return the labels of the project's sessions."""
        rows = await self.wire.rows(f"/data/projects/{quote(project)}/experiments", {"columns": "ID,label"})
        return [row["label"] for row in rows]

    async def list_scans(self, project: str, session: str) -> list[str]:
        """Return the ids of the session's scans."""
        rows = await self.wire.rows(f"{session_address(project, session)}/scans", {"columns": "ID,type"})
        return [row["ID"] for row in rows]

    async def list_files(self, project: str, session: str) -> list[ArchivedFile]:
        """Return every file of every scan of the session; none if there is no such session."""
        return await self.list_below(f"{session_address(project, session)}/scans/ALL")

    async def list_below(self, address: str) -> list[ArchivedFile]:
        """Return the files below a project, session, scan or resource; none if there is no such thing."""
        try:
            rows = await self.wire.rows(f"{address}/files")
        except XnatRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return []
            raise
        return [_archived_file(row) for row in rows]

    async def session_counts(self, project: str, session: str) -> Mapping[str, int]:
        """Return how many files the session holds, by resource label (`DICOM`, `NIFTI`)."""
        return Counter(file.resource for file in await self.list_files(project, session))

    async def put_file(self, address: str, content: bytes | Path) -> None:
        """Store one file at `.../resources/{label}/files/{name}`, in place of an older one."""

        def body() -> bytes | BinaryIO:
            return content if isinstance(content, bytes) else content.open("rb")

        await self.wire.upload("PUT", address, {"inbody": "true", "overwrite": "true"}, body)

    async def delete_file(self, uri: str) -> None:
        """Delete one file; one that is gone already is no error."""
        await self._delete(uri)

    async def read_file(self, uri: str) -> bytes:
        """Return a small file's bytes."""
        return await self.wire.ask("GET", uri, lambda response: response.read())

    async def download(self, uri: str, target: Path, **params: str) -> None:
        """Stream a file, or with `format="zip"` a whole resource, to `target`: whole or not at all."""
        part = target.with_name(target.name + ".part")

        async def stream(response: aiohttp.ClientResponse) -> None:
            with part.open("wb") as file:
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    await asyncio.to_thread(file.write, piece)

        await self.wire.ask("GET", uri, stream, params)
        part.replace(target)

    async def _project_of(self, hub_project_id: str) -> str | None:
        rows = await self.wire.rows("/data/projects", {"columns": "ID,secondary_ID"})
        return next((row["ID"] for row in rows if row["secondary_ID"] == hub_project_id), None)

    async def _create_project(self, hub_project_id: str, hub_project_name: str) -> str:
        fields = {
            "xnat:projectData/secondary_ID": hub_project_id,
            "xnat:projectData/name": f"{hub_project_name}:{hub_project_id}-FL-Project",
        }
        new_id = str(uuid.uuid4())
        await self.wire.send("PUT", f"/data/projects/{new_id}", fields)
        return new_id

    async def _not_archived(self, project: str, session: str, status: int) -> XnatRefusedError:
        """Say where an import ended that XNAT answered with a conflict, or with 200 and without a session."""
        with suppress(XnatRefusedError):
            for row in await self.wire.rows(f"/data/prearchive/projects/{quote(project)}"):
                if session in {row.get("name"), row.get("folderName")}:
                    return PrearchivedError(status, row.get("status") or "unknown")
        return XnatRefusedError(status, "import: no session in the answer, and none in the prearchive")

    async def _delete(self, address: str) -> None:
        try:
            await self.wire.send("DELETE", address, {"removeFiles": "true"})
        except XnatRefusedError as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise


def session_address(project: str, session: str) -> str:
    """Return a session's address by its label."""
    return f"/data/projects/{quote(project)}/experiments/{quote(session)}"


def scan_address(project: str, session: str, scan: str) -> str:
    """Return a scan's address."""
    return f"{session_address(project, session)}/scans/{quote(scan, safe='')}"


def _archived_file(row: Mapping[str, str]) -> ArchivedFile:
    scan = _SCAN.search(row["URI"])
    return ArchivedFile(
        unquote(scan.group(1)) if scan else "",
        row["collection"],
        row["Name"],
        row["URI"],
        int(row.get("Size") or 0),
        row.get("digest", ""),
    )
