"""The object lane beside the bare parts: aiohttp, nginx and sha256 with nothing of ours in between."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
from yarl import URL

from bus.objects import NginxObjects, ObjectLane, grant_download, grant_upload
from infra.federation import Federation
from schemas.manifest import PART_SIZE, Manifest, cuts

CHUNK = 2**20
PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Store:
    """The federation's own nginx; what is put here goes again."""

    federation: Federation
    scratch: Path

    def put(self, content: bytes) -> tuple[Manifest, list[str]]:
        """Upload, and return with the manifest the addresses to read it from."""
        manifest = asyncio.run(_upload(content, self._addresses, self._prefix()))
        return manifest, list(grant_download(self._addresses, manifest, _soon()).urls)

    def new_addresses(self, size: int) -> list[str]:
        return list(grant_upload(self._addresses, self._prefix(), size, _soon()).urls)

    def clear(self) -> None:
        for part in (self.federation.nginx.objects / "bench").glob("*/*"):
            part.unlink()
        for file in self.scratch.iterdir():
            file.unlink()

    @property
    def _addresses(self) -> NginxObjects:
        return NginxObjects(self.federation.nginx.url, self.federation.keys.value("objects"))

    def _prefix(self) -> str:
        return f"bench/{secrets.token_hex(8)}"


@contextmanager
def store(federation: Federation) -> Iterator[Store]:
    scratch = federation.run / "scratch"
    scratch.mkdir(exist_ok=True)
    opened = Store(federation, scratch)
    try:
        yield opened
    finally:
        opened.clear()


@contextmanager
def two_processes() -> Iterator[Executor]:
    """Two trusts, warm."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        _together(pool.submit(os.getpid) for _ in range(4))
        yield pool


def to_two_trusts(store_: Store, pool: Executor, size: int) -> tuple[float, float]:
    """Return the seconds until both have an object of ``size`` bytes, verified, on disk: by our lane, and bare."""
    manifest, urls = store_.put(os.urandom(size))
    digests = [part.sha256 for part in manifest.parts]
    files = [store_.scratch / f"{name}-{secrets.token_hex(4)}" for name in ("one", "other")]
    ours = _together(pool.submit(download, manifest, urls, file) for file in files)
    bare = _together(pool.submit(bare_get, urls, digests, file.with_suffix(".bare")) for file in files)
    store_.clear()
    return ours, bare


def bare_round(store_: Store, pool: Executor, size: int) -> float:
    """Move what a round of two trusts moves: model out, updates in, updates to be folded, model in."""
    manifest, urls = store_.put(os.urandom(size))
    digests = [part.sha256 for part in manifest.parts]
    files = [store_.scratch / f"{name}-{secrets.token_hex(4)}" for name in ("one", "other")]
    out = _together(pool.submit(bare_get, urls, digests, file) for file in files)
    in_ = _together(pool.submit(bare_put, store_.new_addresses(size), file) for file in files)
    again = _together(pool.submit(bare_get, urls, digests, file.with_suffix(".update")) for file in files)
    model = _together([pool.submit(bare_put, store_.new_addresses(size), files[0])])
    store_.clear()
    return out + in_ + again + model


def download(manifest: Manifest, urls: Sequence[str], file: Path) -> None:
    async def bring() -> None:
        async with ObjectLane() as lane:
            await lane.download(manifest, urls, file)

    asyncio.run(bring())


def bare_get(urls: Sequence[str], digests: Sequence[str], path: Path) -> None:
    async def part(http: aiohttp.ClientSession, place: int, file: int) -> None:
        async with http.get(URL(urls[place], encoded=True)) as answer:
            content = await answer.read()
        if (await asyncio.to_thread(hashlib.sha256, content)).hexdigest() != digests[place]:
            raise ValueError(f"part {place} is damaged")
        await asyncio.to_thread(os.pwrite, file, content, place * PART_SIZE)

    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    asyncio.run(_all_parts(lambda http, place: part(http, place, file), len(urls)))
    os.close(file)


def bare_put(urls: Sequence[str], path: Path) -> None:
    content = memoryview(path.read_bytes())

    async def part(http: aiohttp.ClientSession, place: int) -> None:
        start, stop = cuts(len(content))[place]
        await asyncio.to_thread(hashlib.sha256, content[start:stop])
        async with http.put(URL(urls[place], encoded=True), data=bytes(content[start:stop])) as answer:
            answer.raise_for_status()

    asyncio.run(_all_parts(part, len(urls)))


async def _all_parts(part: Callable[[aiohttp.ClientSession, int], Awaitable[None]], count: int) -> None:
    gate = asyncio.Semaphore(PARALLEL)

    async def gated(http: aiohttp.ClientSession, place: int) -> None:
        async with gate:
            await part(http, place)

    async with aiohttp.ClientSession(read_bufsize=CHUNK) as http:
        await asyncio.gather(*(gated(http, place) for place in range(count)))


async def _upload(content: bytes, addresses: NginxObjects, prefix: str) -> Manifest:
    async with ObjectLane() as lane:
        return await lane.upload(memoryview(content), grant_upload(addresses, prefix, len(content), _soon()))


def _together(futures: Iterator[Future[Any]] | Sequence[Future[Any]]) -> float:
    started = perf_counter()
    for future in list(futures):
        future.result()
    return perf_counter() - started


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)
