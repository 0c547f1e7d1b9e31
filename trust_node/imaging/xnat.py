"""Any XNAT 1.8 or later, spoken to through its REST routes only."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import quote

import aiohttp

T = TypeVar("T")
Body = Callable[[], bytes | BinaryIO]
Params = Mapping[str, str]

PIECE_BYTES = 1 << 20
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
_ARCHIVED = re.compile(r"/data/archive/projects/[^/\s]+/subjects/[^/\s]+/experiments/[^/\s]+")
_SCAN = re.compile(r"/scans/([^/]+)/")


class XnatUnreachableError(Exception):
    """XNAT does not answer, or keeps answering 5xx; trying again later may help."""


class XnatRefusedError(Exception):
    """XNAT answered no; `status` is its HTTP status (200 when only the body told of the error)."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"{what}: XNAT answers {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of a scan's resource; `uri` is a path below the server, `size` in bytes."""

    scan: str
    resource: str
    name: str
    uri: str
    size: int


@dataclass(slots=True)
class Xnat:
    """A logged-in client, used as `async with Xnat(url, user, password) as xnat`.

    A session that has expired is opened again once per request; 5xx and broken connections are tried
    `attempts` times, waiting `backoff_s`, then twice that, and so on.
    """

    url: str
    user: str
    password: str = field(repr=False)
    attempts: int = 4
    backoff_s: float = 0.5
    _http: aiohttp.ClientSession = field(init=False, repr=False)
    _creating: asyncio.Lock = field(init=False, repr=False, default_factory=asyncio.Lock)

    async def __aenter__(self) -> Self:
        # XNAT may be named by its address, for which a strict jar keeps no cookies.
        self._http = aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.CookieJar(unsafe=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def ensure_project(self, hub_project_id: str, hub_project_name: str) -> str:
        """Return the id of the XNAT project that stands for a hub project; make it when there is none.

        Named as FLIP does: a fresh UUID, the hub's id as secondary id, `"<name>:<hub id>-FL-Project"` as title.
        """
        async with self._creating:
            existing = await self._project_of(hub_project_id)
            return existing or await self._create_project(hub_project_id, hub_project_name)

    async def import_session(self, project: str, subject: str, session: str, archive: Path) -> str:
        """Send a zip of one study's DICOM files into a session; return the session's address.

        Sending it again replaces the same files and adds the missing ones.

        Raises
        ------
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
        answer = await self._ask("POST", "/data/services/import", _text, params, lambda: archive.open("rb"))
        found = _ARCHIVED.search(answer)
        if found is None:
            raise XnatRefusedError(HTTPStatus.OK, "import: no session in the answer, look into the prearchive")
        return found.group()

    async def list_sessions(self, project: str) -> list[str]:
        """Return the labels of the project's sessions."""
        rows = await self._rows(f"/data/projects/{quote(project)}/experiments", {"columns": "ID,label"})
        return [row["label"] for row in rows]

    async def list_scans(self, project: str, session: str) -> list[str]:
        """Return the ids of the session's scans."""
        rows = await self._rows(f"{session_address(project, session)}/scans", {"columns": "ID,type"})
        return [row["ID"] for row in rows]

    async def list_files(self, project: str, session: str) -> list[ArchivedFile]:
        """Return every file of every scan of the session; none if there is no such session."""
        try:
            rows = await self._rows(f"{session_address(project, session)}/scans/ALL/files")
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

        await self._ask("PUT", address, _text, {"inbody": "true", "overwrite": "true"}, body)

    async def read_file(self, uri: str) -> bytes:
        """Return a small file's bytes."""
        return await self._ask("GET", uri, lambda response: response.read())

    async def download(self, uri: str, target: Path, **params: str) -> None:
        """Stream a file, or with `format="zip"` a whole resource, to `target`: whole or not at all."""
        part = target.with_suffix(".part")

        async def stream(response: aiohttp.ClientResponse) -> None:
            with part.open("wb") as file:
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    await asyncio.to_thread(file.write, piece)

        await self._ask("GET", uri, stream, params)
        part.replace(target)

    async def _project_of(self, hub_project_id: str) -> str | None:
        rows = await self._rows("/data/projects", {"columns": "ID,secondary_ID"})
        return next((row["ID"] for row in rows if row["secondary_ID"] == hub_project_id), None)

    async def _create_project(self, hub_project_id: str, hub_project_name: str) -> str:
        fields = {
            "xnat:projectData/secondary_ID": hub_project_id,
            "xnat:projectData/name": f"{hub_project_name}:{hub_project_id}-FL-Project",
        }
        new_id = str(uuid.uuid4())
        await self._ask("PUT", f"/data/projects/{new_id}", _text, fields)
        return new_id

    async def _rows(self, path: str, params: Params | None = None) -> list[dict[str, str]]:
        answer = await self._ask("GET", path, _json, {"format": "json", **(params or {})})
        rows: list[dict[str, str]] = answer["ResultSet"]["Result"]
        return rows

    async def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
        params: Params | None = None,
        body: Body | None = None,
    ) -> T:
        """Ask until there is an answer below 500, and hand it to `read`."""
        for attempt in range(self.attempts):
            try:
                return await self._once(method, path, read, params, body)
            except (_ServerError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
                failure = error
            if attempt + 1 < self.attempts:
                await asyncio.sleep(self.backoff_s * 2**attempt)
        raise XnatUnreachableError(f"{self.url}: no answer in {self.attempts} attempts") from failure

    async def _once(
        self,
        method: str,
        path: str,
        read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
        params: Params | None,
        body: Body | None,
    ) -> T:
        for last_chance in (False, True):
            data = body() if body else None
            async with self._http.request(method, self.url + path, params=params, data=data) as response:
                if response.status == HTTPStatus.UNAUTHORIZED and not last_chance:
                    await self._log_in()
                    continue
                _check(response, f"{method} {path}")
                return await read(response)
        raise AssertionError("the second answer is always returned or raised")

    async def _log_in(self) -> None:
        form = {"username": self.user, "password": self.password}
        async with self._http.put(f"{self.url}/data/services/auth", data=form) as response:
            _check(response, "log-in of the trust node's XNAT account")
            session = {"JSESSIONID": (await response.text()).strip()}
            self._http.cookie_jar.update_cookies(session, response.url.origin())


class _ServerError(Exception):
    pass


def session_address(project: str, session: str) -> str:
    """Return a session's address by its label."""
    return f"/data/projects/{quote(project)}/experiments/{quote(session)}"


def _check(response: aiohttp.ClientResponse, what: str) -> None:
    # The body stays unread: an error page may quote what was sent.
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _ServerError(f"{what}: XNAT answers {response.status}")
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise XnatRefusedError(response.status, what)


def _archived_file(row: Mapping[str, str]) -> ArchivedFile:
    scan = _SCAN.search(row["URI"])
    return ArchivedFile(scan.group(1) if scan else "", row["collection"], row["Name"], row["URI"], int(row["Size"]))


async def _text(response: aiohttp.ClientResponse) -> str:
    return await response.text()


async def _json(response: aiohttp.ClientResponse) -> Any:
    return await response.json(content_type=None)
