"""The object lane: files travel in parts over signed addresses while events carry their manifests.

The hub makes addresses (`ObjectStore`); whoever holds a grant moves bytes (`ObjectLane`) and needs no key.
"""

import asyncio
import base64
import errno
import hashlib
import mmap
import os
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bus.errors import Transient
from bus.watch import metrics
from schemas.manifest import (
    PART_SIZE,
    DownloadGrant,
    Manifest,
    Part,
    TensorSpec,
    UploadGrant,
    cuts,
    manifest_of,
    part_path,
)

MADV_POPULATE_READ = 22
"""madvise(2); Python has no name for it."""

CHUNK = 2**20
"""Bytes handed to a socket, or taken from it, at once: aiohttp's own 64 KiB cost twice the processor time."""


class ObjectError(Exception):
    """An object could not be moved."""


class Interrupted(ObjectError, Transient):
    """The network or the store failed, and went on failing after every retry: try again later."""


class GrantExpired(ObjectError):
    """The signed address is too old: ask for a new grant, then call again; finished parts are kept."""


class Forbidden(ObjectError):
    """The signature does not open this object for this method."""


class ObjectMissing(ObjectError):
    """No such part in the store."""


class TooLarge(ObjectError):
    """The file is larger than the grant allows."""


class WrongDigest(ObjectError):
    """A part arrived whole, but is not what the manifest says."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} has not the size and sha256 of its manifest: upload the object again")
        self.part = part


Method = Literal["GET", "PUT", "DELETE"]
T = TypeVar("T")

ALREADY_THERE = {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
"""Answers of nginx and of S3 to writing a part a second time."""


class ObjectStore(Protocol):
    """Makes addresses that open one object for one method until a moment, and nothing else."""

    def sign(self, method: Method, path: str, expires_at: datetime) -> str: ...


@dataclass(frozen=True, slots=True)
class NginxObjects:
    """Addresses for nginx's ``secure_link`` over ``"$secure_link_expires$request_method$uri $secret"``."""

    base_url: str
    secret: str = field(repr=False)

    def sign(self, method: Method, path: str, expires_at: datetime) -> str:
        uri = f"{urlsplit(self.base_url).path.rstrip('/')}/{path}"
        expires = int(expires_at.timestamp())
        signed = f"{expires}{method}{uri} {self.secret}".encode()
        # nginx's secure_link knows only md5; a preimage, not a collision, would be needed to forge an address
        digest = hashlib.md5(signed, usedforsecurity=False).digest()
        md5 = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{self.base_url.rstrip('/')}/{path}?md5={md5}&expires={expires}"


def grant_download(store: ObjectStore, manifest: Manifest, expires_at: datetime) -> DownloadGrant:
    paths = (part_path(manifest.prefix, part.index) for part in manifest.parts)
    urls = tuple(store.sign("GET", path, expires_at) for path in paths)
    return DownloadGrant(manifest=manifest, urls=urls, expires_at=expires_at)


def grant_upload(
    store: ObjectStore, prefix: str, max_size: int, expires_at: datetime, part_size: int = PART_SIZE
) -> UploadGrant:
    """Allow one object of at most ``max_size`` bytes; give every attempt a ``prefix`` of its own."""
    paths = (part_path(prefix, index) for index in range(len(cuts(max_size, part_size))))
    urls = tuple(store.sign("PUT", path, expires_at) for path in paths)
    return UploadGrant(prefix=prefix, urls=urls, part_size=part_size, max_size=max_size, expires_at=expires_at)


@dataclass(frozen=True, slots=True)
class Retries:
    """Pauses between attempts: doubling from ``first`` seconds, each scaled by ``jitter()`` in [0, 1)."""

    attempts: int = 6
    first: float = 0.2
    jitter: Callable[[], float] = random.random

    def pauses(self) -> Iterable[float]:
        return (self.first * 2**attempt * (0.5 + self.jitter()) for attempt in range(self.attempts - 1))


class ObjectLane:
    """Moves objects, ``parallel`` parts at a time; use it as an async context manager."""

    def __init__(self, *, parallel: int = 4, prefetch: int = 2, retries: Retries | None = None) -> None:
        self._parallel = parallel
        self._prefetch = prefetch
        self._retries = retries or Retries()

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=timeout,
            auto_decompress=False,
            read_bufsize=CHUNK,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def upload(
        self, source: Path | memoryview, grant: UploadGrant, tensors: Iterable[TensorSpec] = ()
    ) -> Manifest:
        """Write a file or a flat buffer; parts that the store already holds are not sent again.

        Raises
        ------
        TooLarge, GrantExpired, Forbidden, Interrupted
        """
        view = _mapped(source) if isinstance(source, Path) else source
        if not 0 < len(view) <= grant.max_size:
            raise TooLarge(f"{len(view)} bytes: the grant allows 1 to {grant.max_size}")
        spans = cuts(len(view), grant.part_size)
        parts = await self._all(
            partial(self._send, index, view[start:stop], grant.urls[index]) for index, (start, stop) in enumerate(spans)
        )
        return manifest_of(grant.prefix, parts, tensors)

    async def download(self, manifest: Manifest, urls: Sequence[str], path: Path) -> None:
        """Bring an object to ``path``, which appears only when every part is verified.

        Parts that an earlier, cut download left behind are verified and kept.

        Raises
        ------
        WrongDigest, ObjectMissing, GrantExpired, Forbidden, Interrupted
        """
        unfinished = path.with_name(f"{path.name}.unfinished")
        file = _continued(path, unfinished)
        try:
            await self._complete(file, manifest, urls)
        finally:
            os.close(file)
        await asyncio.to_thread(unfinished.replace, path)

    async def parts_of(self, manifest: Manifest, urls: Sequence[str]) -> AsyncIterator[bytes]:
        """Yield the verified parts in order, fetching ``prefetch`` of them ahead of the reader."""
        ahead: deque[asyncio.Task[bytes]] = deque()
        try:
            for part, url in zip(manifest.parts, urls, strict=True):
                ahead.append(asyncio.create_task(self._joined(part, url)))
                if len(ahead) > self._prefetch:
                    yield await ahead.popleft()
            while ahead:
                yield await ahead.popleft()
        finally:
            await _abandon(ahead)

    async def _send(self, index: int, part: memoryview, url: str) -> Part:
        digest, _ = await asyncio.gather(asyncio.to_thread(_sha256, part), self._retried(partial(self._put, part, url)))
        return Part(index=index, size=len(part), sha256=digest)

    async def _complete(self, file: int, manifest: Manifest, urls: Sequence[str]) -> None:
        before = os.fstat(file).st_size
        os.truncate(file, manifest.size)
        size = manifest.parts[0].size
        await self._all(
            partial(self._fill, file, part, url, part.index * size, before)
            for part, url in zip(manifest.parts, urls, strict=True)
        )

    async def _fill(self, file: int, part: Part, url: str, offset: int, before: int) -> None:
        if offset < before and await asyncio.to_thread(_holds, file, part, offset):
            return
        await asyncio.to_thread(_write, file, await self._verified(part, url), offset)

    async def _joined(self, part: Part, url: str) -> bytes:
        return await asyncio.to_thread(b"".join, await self._verified(part, url))

    async def _verified(self, part: Part, url: str) -> list[bytes]:
        chunks = await self._retried(partial(self._get, part, url))
        if await asyncio.to_thread(_sha256, *chunks) != part.sha256:
            raise WrongDigest(part.index)
        return chunks

    async def _put(self, part: memoryview, url: str) -> None:
        headers = {"Content-Length": str(len(part)), "Content-Type": "application/octet-stream"}
        async with self._session.put(URL(url, encoded=True), data=_chunks(part), headers=headers) as answer:
            if answer.status not in ALREADY_THERE:
                _check(answer.status)
                metrics.OBJECT_BYTES.labels("out").inc(len(part))

    async def _get(self, part: Part, url: str) -> list[bytes]:
        """Return a part in the pieces it came in: joining them costs as much as receiving them."""
        async with self._session.get(URL(url, encoded=True)) as answer:
            _check(answer.status)
            if answer.content_length != part.size:
                raise WrongDigest(part.index)
            chunks = [chunk async for chunk in answer.content.iter_any()]
        metrics.OBJECT_BYTES.labels("in").inc(part.size)
        return chunks

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for pause in self._retries.pauses():
            try:
                return await _translated(attempt)
            except Interrupted:
                metrics.OBJECT_FAILURES.inc()
                await asyncio.sleep(pause)
        return await _translated(attempt)

    async def _all(self, jobs: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
        gate = asyncio.Semaphore(self._parallel)
        tasks = [asyncio.create_task(_gated(gate, job)) for job in jobs]
        try:
            return await asyncio.gather(*tasks)
        finally:
            await _abandon(tasks)


async def _gated(gate: asyncio.Semaphore, job: Callable[[], Awaitable[T]]) -> T:
    async with gate:
        return await job()


async def _abandon(tasks: Iterable[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _translated(attempt: Callable[[], Awaitable[T]]) -> T:
    try:
        return await attempt()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        # the error's own text would quote the signed address
        raise Interrupted(f"{type(error).__name__} on the way to the object store") from None


def _check(status: int) -> None:
    match status:
        case HTTPStatus.FORBIDDEN:
            raise Forbidden("the address does not open this object: ask for a grant of your own")
        case HTTPStatus.GONE:
            raise GrantExpired("the address has expired: ask for a new grant")
        case HTTPStatus.NOT_FOUND:
            raise ObjectMissing("the store has no such part: was the upload finished?")
        case _ if status >= HTTPStatus.BAD_REQUEST:
            raise Interrupted(f"the object store answered {status}")


async def _chunks(part: memoryview) -> AsyncIterator[memoryview]:
    for start in range(0, len(part), CHUNK):
        yield part[start : start + CHUNK]


def _continued(path: Path, unfinished: Path) -> int:
    if path.exists():
        path.replace(unfinished)
    return os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600)


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        # nginx and we read the same page cache: no copy of the file is made here
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with suppress(OSError):
        # one call instead of a page fault for every 64 KiB; Linux before 5.14 does not know it
        mapped.madvise(MADV_POPULATE_READ)
    return memoryview(mapped)


def _sha256(*chunks: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _write(file: int, chunks: Iterable[bytes], offset: int) -> None:
    for chunk in chunks:
        written = os.pwrite(file, chunk, offset)
        if written < len(chunk):
            raise OSError(errno.ENOSPC, "the disk is full: make room and download again")
        offset += written


def _holds(file: int, part: Part, offset: int) -> bool:
    return _sha256(os.pread(file, part.size, offset)) == part.sha256
