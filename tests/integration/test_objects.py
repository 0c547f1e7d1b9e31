"""The object lane against a real nginx."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bus.objects import (
    Forbidden,
    GrantExpired,
    Interrupted,
    NginxObjects,
    ObjectLane,
    ObjectMissing,
    Retries,
    TooLarge,
    WrongDigest,
    grant_download,
    grant_upload,
)
from infra.parts.nginx import Nginx
from infra.parts.part import free_port
from schemas.manifest import Manifest, UploadGrant, read_layout

pytestmark = pytest.mark.integration

PART = 64 * 2**10
SIZE = 10 * PART + 123
CONTENT = secrets.token_bytes(SIZE)
AT_ONCE = Retries(first=0.0)
numbers = itertools.count()


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


@pytest.fixture(scope="module")
def store(nginx: Nginx) -> NginxObjects:
    return NginxObjects(nginx.url, nginx.secret)


@pytest.fixture
async def lane() -> AsyncIterator[ObjectLane]:
    async with ObjectLane(retries=AT_ONCE) as lane:
        yield lane


@pytest.fixture
async def one_by_one() -> AsyncIterator[ObjectLane]:
    async with ObjectLane(parallel=1, retries=AT_ONCE) as lane:
        yield lane


@pytest.fixture
def grant(store: NginxObjects) -> UploadGrant:
    return grant_upload(store, f"runs/{next(numbers)}/update", SIZE, soon(), PART)


@pytest.fixture
async def stored(lane: ObjectLane, grant: UploadGrant) -> Manifest:
    return await lane.upload(memoryview(CONTENT), grant)


def urls(store: NginxObjects, manifest: Manifest) -> tuple[str, ...]:
    return grant_download(store, manifest, soon()).urls


def part_file(nginx: Nginx, manifest: Manifest, index: int) -> Path:
    return nginx.objects / manifest.prefix / f"{index:05d}"


@asynccontextmanager
async def cutting_proxy(target: int, cut_after: Callable[[int], int | None]) -> AsyncIterator[str]:
    """Forward connections, and cut the n-th after ``cut_after(n)`` bytes either way."""
    connections = itertools.count()

    async def forward(reader, writer):
        budget = cut_after(next(connections))
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", target)
        with closing(writer), closing(up_writer):
            await asyncio.wait(
                [
                    asyncio.create_task(pipe(reader, up_writer, budget)),
                    asyncio.create_task(pipe(up_reader, writer, budget)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int | None) -> None:
    while (budget is None or budget > 0) and (data := await reader.read(min(budget or PART, PART))):
        writer.write(data)
        budget = None if budget is None else budget - len(data)


async def test_a_file_goes_there_and_back_in_parts(lane, store, grant, nginx, tmp_path):
    (tmp_path / "up").write_bytes(CONTENT)
    manifest = await lane.upload(tmp_path / "up", grant)
    await lane.download(manifest, urls(store, manifest), tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == CONTENT
    assert [part.size for part in manifest.parts] == [PART] * 10 + [123]
    assert part_file(nginx, manifest, 10).read_bytes() == CONTENT[-123:]


async def test_a_model_goes_with_its_layout(lane, store, tmp_path):
    model = {"w": torch.randn(200, 300), "n": torch.tensor(3)}
    save_file(model, tmp_path / "model")
    layout = read_layout((tmp_path / "model").read_bytes())
    grant = grant_upload(store, f"runs/{next(numbers)}/model", layout.size, soon(), PART)
    manifest = await lane.upload(tmp_path / "model", grant, layout.tensors)
    await lane.download(manifest, urls(store, manifest), tmp_path / "global")
    assert torch.equal(load_file(tmp_path / "global")["w"], model["w"])
    assert manifest.tensors == layout.tensors


async def test_parts_stream_in_order(lane, store, stored):
    assert b"".join([part async for part in lane.parts_of(stored, urls(store, stored))]) == CONTENT


async def test_a_reader_that_stops_early_leaves_no_fetch_behind(lane, store, stored):
    parts = lane.parts_of(stored, urls(store, stored))
    before = len(asyncio.all_tasks())
    assert await anext(parts) == CONTENT[:PART]
    await parts.aclose()
    assert len(asyncio.all_tasks()) == before


async def test_an_upload_that_is_repeated_gives_the_same_manifest(lane, grant, stored):
    assert await lane.upload(memoryview(CONTENT), grant) == stored


async def test_a_part_once_written_can_not_be_changed(lane, store, grant, stored, tmp_path):
    await lane.upload(memoryview(bytes(SIZE)), grant)
    await lane.download(stored, urls(store, stored), tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == CONTENT


async def test_an_upload_goes_on_at_the_missing_part_when_its_grant_is_renewed(one_by_one, store, nginx, tmp_path):
    prefix = f"runs/{next(numbers)}/update"
    good = grant_upload(store, prefix, SIZE, soon(), PART)
    expired = grant_upload(store, prefix, SIZE, datetime.now(UTC) - timedelta(seconds=1), PART)
    cut = good.model_copy(update={"urls": good.urls[:4] + expired.urls[4:]})
    with pytest.raises(GrantExpired):
        await one_by_one.upload(memoryview(CONTENT), cut)
    written = (nginx.objects / prefix / "00003").stat().st_mtime_ns
    manifest = await one_by_one.upload(memoryview(CONTENT), good)
    await one_by_one.download(manifest, urls(store, manifest), tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == CONTENT
    assert part_file(nginx, manifest, 3).stat().st_mtime_ns == written


async def test_a_download_goes_on_at_the_missing_part(one_by_one, store, stored, nginx, tmp_path):
    addresses = urls(store, stored)
    hidden = part_file(nginx, stored, 6)
    hidden.rename(hidden.with_name("hidden"))
    with pytest.raises(ObjectMissing):
        await one_by_one.download(stored, addresses, tmp_path / "down")
    assert not (tmp_path / "down").exists()
    hidden.with_name("hidden").rename(hidden)
    for index in range(6):
        part_file(nginx, stored, index).unlink()
    await one_by_one.download(stored, addresses, tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == CONTENT


async def test_a_file_that_was_damaged_at_rest_is_mended(lane, store, stored, tmp_path):
    (tmp_path / "down").write_bytes(CONTENT[:PART] + bytes(SIZE - PART))
    await lane.download(stored, urls(store, stored), tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == CONTENT


async def test_cut_connections_are_tried_again(lane, nginx, tmp_path):
    async with cutting_proxy(nginx.port, lambda n: 20_000 if n % 2 == 0 else None) as proxy:
        through = NginxObjects(proxy, nginx.secret)
        grant = grant_upload(through, f"runs/{next(numbers)}/update", SIZE, soon(), PART)
        manifest = await lane.upload(memoryview(CONTENT), grant)
        await lane.download(manifest, urls(through, manifest), tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == CONTENT


async def test_a_store_that_stays_away_is_an_interruption_without_the_address(lane):
    nowhere = NginxObjects(f"http://127.0.0.1:{free_port()}", "s3cret")
    with pytest.raises(Interrupted) as caught:
        await lane.upload(memoryview(CONTENT), grant_upload(nowhere, "runs/x", SIZE, soon(), PART))
    assert "md5" not in str(caught.value)


@pytest.mark.parametrize("damaged", [bytes(PART), b"short"], ids=["other bytes", "cut"])
async def test_a_part_that_is_not_what_the_manifest_says_is_named(lane, store, stored, nginx, damaged):
    part_file(nginx, stored, 2).write_bytes(damaged)
    parts = lane.parts_of(stored, urls(store, stored))
    assert [await anext(parts), await anext(parts)] == [CONTENT[:PART], CONTENT[PART : 2 * PART]]
    with pytest.raises(WrongDigest) as caught:
        await anext(parts)
    assert caught.value.part == 2


async def test_a_file_with_a_wrong_part_never_appears(lane, store, stored, nginx, tmp_path):
    part_file(nginx, stored, 2).write_bytes(bytes(PART))
    with pytest.raises(WrongDigest):
        await lane.download(stored, urls(store, stored), tmp_path / "down")
    assert not (tmp_path / "down").exists()


async def test_an_expired_address_opens_nothing(lane, store, stored, tmp_path):
    expired = grant_download(store, stored, datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(GrantExpired):
        await lane.download(stored, expired.urls, tmp_path / "down")


async def test_the_address_of_one_trust_opens_no_object_of_another(lane, store, stored, tmp_path):
    others = stored.prefix.replace("update", "other")
    mine = [url.replace(stored.prefix, others) for url in urls(store, stored)]
    with pytest.raises(Forbidden):
        await lane.download(stored, mine, tmp_path / "down")


async def test_an_address_to_write_does_not_read(lane, stored, grant, tmp_path):
    with pytest.raises(Forbidden):
        await lane.download(stored, grant.urls, tmp_path / "down")


async def test_an_address_to_read_does_not_write(lane, store, grant, stored):
    reading = grant.model_copy(update={"urls": urls(store, stored)})
    with pytest.raises(Forbidden):
        await lane.upload(memoryview(CONTENT), reading)


async def test_an_object_larger_than_its_grant_is_not_sent(lane, grant):
    with pytest.raises(TooLarge):
        await lane.upload(memoryview(CONTENT + b"x"), grant)
