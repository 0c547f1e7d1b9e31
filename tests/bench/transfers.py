"""The object lane beside the bare parts: aiohttp, nginx and sha256 with nothing of ours in between."""

import asyncio
import hashlib
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import aiohttp
from yarl import URL

from bus.objects import NginxObjects, ObjectLane, grant_download, grant_upload
from infra.federation import Federation
from schemas.manifest import DownloadGrant, Manifest, cuts, part_path

CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Transfer:
    ours: float
    bare: float


@asynccontextmanager
async def _object(federation: Federation, size: int) -> AsyncIterator[tuple[NginxObjects, Manifest, bytes]]:
    """An object of random bytes in the federation's own store, removed afterwards."""
    store = NginxObjects(federation.nginx.url, federation.keys.value("objects"))
    prefix = f"bench/{secrets.token_hex(8)}"
    content = os.urandom(size)
    async with ObjectLane() as lane:
        manifest = await lane.upload(memoryview(content), grant_upload(store, prefix, size, _soon()))
    try:
        yield store, manifest, content
    finally:
        folder = federation.nginx.objects / prefix
        for part in folder.iterdir():
            part.unlink()
