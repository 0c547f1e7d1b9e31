"""The aggregator as a process, on a real broker, database and object lane."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import torch
from safetensors.torch import load, save

from bus.objects import NginxObjects, ObjectLane, grant_download, grant_upload
from bus.uow import new_id
from schemas.aggregation import AggregationFailed, ModelAggregated, UpdateRefused, UpdateVerified
from schemas.manifest import Manifest, Part, manifest_of, read_layout
from schemas.training import FoldInput, RoundClosed, RunStopped
from schemas.trust import UpdateSubmitted
from services.aggregator.folding import fold
from services.aggregator.strategy import FedAvg
from tests.integration.hub import Service, Voice, service, voice

pytestmark = pytest.mark.integration

Weights = dict[str, torch.Tensor]
PARTS = 6


@dataclass(slots=True)
class Stage:
    """The test plays the coordinator and all trusts."""

    voice: Voice
    lane: ObjectLane
    objects: NginxObjects
    files: Path
    aggregator: Service

    async def put(self, prefix: str, content: bytes) -> Manifest:
        grant = grant_upload(self.objects, prefix, len(content), soon())
        return await self.lane.upload(memoryview(content), grant, read_layout(content).tensors)

    async def get(self, manifest: Manifest) -> bytes:
        grant = grant_download(self.objects, manifest, soon())
        return b"".join([part async for part in self.lane.parts_of(manifest, grant.urls)])

    async def submit(self, run_id: str, round_: int, trust: str, manifest: Manifest, examples: int = 1) -> None:
        about = {"trust_id": trust, "run_id": run_id, "round": round_, "kind": "train" if round_ else "init"}
        await self.voice.say(UpdateSubmitted(**about, examples=examples, metrics={"loss": 1.0}, manifest=manifest))

    async def verified(self, run_id: str, round_: int, trust: str, weights: Weights, examples: int = 1) -> FoldInput:
        manifest = await self.put(f"runs/{run_id}/{round_}/{trust}", save(weights))
        await self.submit(run_id, round_, trust, manifest, examples)
        await self.voice.heard(UpdateVerified, run_id=run_id, round=round_, trust_id=trust)
        return FoldInput(trust_id=trust, examples=examples, digest=manifest.sha256)

    async def close(self, run_id: str, round_: int, *updates: FoldInput) -> None:
        await self.voice.say(RoundClosed(run_id=run_id, round=round_, updates=updates, missing=()))

    async def folded(self, run_id: str, round_: int, *updates: FoldInput) -> ModelAggregated:
        await self.close(run_id, round_, *updates)
        return await self.voice.heard(ModelAggregated, run_id=run_id, round=round_)

    async def begun(self, weights: Weights) -> str:
        """A run whose first global model these weights are."""
        run_id = new_id()
        await self.folded(run_id, 0, await self.verified(run_id, 0, "amber", weights))
        return run_id

    async def refused(self, run_id: str, round_: int, trust: str, manifest: Manifest) -> str:
        await self.submit(run_id, round_, trust, manifest)
        return (await self.voice.heard(UpdateRefused, run_id=run_id, round=round_, trust_id=trust)).code


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=5)


@pytest_asyncio.fixture(scope="module")
async def stage(kafka, postgres, nginx, tmp_path_factory) -> AsyncIterator[Stage]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("aggregator")
    with service("aggregator", kafka, postgres.fresh_database("aggregator"), nginx, folder) as aggregator:
        async with ObjectLane() as lane, voice(kafka) as speaking:
            yield Stage(speaking, lane, NginxObjects(nginx.url, nginx.secret), nginx.objects, aggregator)


async def test_two_updates_become_their_mean(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3), "steps": torch.tensor(0)})
    amber = await stage.verified(run_id, 1, "amber", {"w": torch.tensor([1.0, 2, 3]), "steps": torch.tensor(5)}, 3)
    birch = await stage.verified(run_id, 1, "birch", {"w": torch.tensor([5.0, 2, 7]), "steps": torch.tensor(9)}, 1)
    aggregated = await stage.folded(run_id, 1, birch, amber)
    model = load(await stage.get(aggregated.manifest))
    assert model["w"].tolist() == [2.0, 2.0, 4.0]
    assert model["steps"].item() == 5
    assert aggregated.folded == ("amber", "birch")


async def test_a_wrong_digest_is_refused(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    true = await stage.put(f"runs/{run_id}/1/amber", save({"w": torch.ones(3)}))
    part = Part(index=0, size=true.size, sha256="0" * 64)
    assert await stage.refused(run_id, 1, "amber", manifest_of(true.prefix, [part], true.tensors)) == "wrong_digest"


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        ({"w": torch.tensor([1.0, float("nan"), 0])}, "not_finite"),
        ({"w": torch.tensor([1.0, float("inf"), 0])}, "not_finite"),
        ({"w": torch.zeros(4)}, "wrong_shapes"),
        ({"v": torch.zeros(3)}, "wrong_shapes"),
    ],
)
async def test_a_bad_update_is_refused_by_its_code(stage, weights, code) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    manifest = await stage.put(f"runs/{run_id}/1/amber", save(weights))
    assert await stage.refused(run_id, 1, "amber", manifest) == code


async def test_an_update_of_a_round_to_come_is_refused(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    manifest = await stage.put(f"runs/{run_id}/7/amber", save({"w": torch.zeros(3)}))
    assert await stage.refused(run_id, 7, "amber", manifest) == "wrong_round"


async def test_parts_that_were_never_uploaded_are_missing(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    true = await stage.put(f"runs/{run_id}/1/birch", save({"w": torch.zeros(3)}))
    absent = manifest_of(f"runs/{run_id}/1/amber", true.parts, true.tensors)
    assert await stage.refused(run_id, 1, "amber", absent) == "missing_object"


async def test_a_bad_update_stops_nobody_elses(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    manifest = await stage.put(f"runs/{run_id}/1/amber", save({"w": torch.full((3,), float("nan"))}))
    await stage.refused(run_id, 1, "amber", manifest)
    birch = await stage.verified(run_id, 1, "birch", {"w": torch.ones(3)})
    model = load(await stage.get((await stage.folded(run_id, 1, birch)).manifest))
    assert model["w"].tolist() == [1.0, 1.0, 1.0]


async def test_an_update_that_nobody_verified_is_never_folded(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    await stage.close(run_id, 1, FoldInput(trust_id="amber", examples=1, digest="0" * 64))
    assert (await stage.voice.heard(AggregationFailed, run_id=run_id)).code == "unknown_update"


async def test_a_run_that_is_over_takes_no_update(stage) -> None:
    run_id = await stage.begun({"w": torch.zeros(3)})
    manifest = await stage.put(f"runs/{run_id}/1/amber", save({"w": torch.zeros(3)}))
    await stage.voice.say(RunStopped(run_id=run_id, stopped_by="ann"))
    # of one run, one thing comes after another: when this is answered, the end has been heard
    await stage.close(run_id, 1, FoldInput(trust_id="amber", examples=1, digest="0" * 64))
    await stage.voice.heard(AggregationFailed, run_id=run_id)
    assert await stage.refused(run_id, 1, "amber", manifest) == "run_is_over"


def large(seed: int) -> Weights:
    return {"w": torch.randn(PARTS * 2**21 - 100, generator=torch.Generator().manual_seed(seed))}


async def test_killed_in_the_middle_of_a_fold_it_ends_with_the_same_bytes(stage, tmp_path) -> None:
    run_id = await stage.begun(large(0))
    updates = [await stage.verified(run_id, 1, trust, large(n), n) for n, trust in enumerate(("amber", "birch"), 1)]
    await stage.close(run_id, 1, *updates)
    await exists(stage.files / f"runs/{run_id}/1/global/00000")
    stage.aggregator.kill()
    assert stage.voice.all(ModelAggregated, run_id=run_id, round=1) == []
    stage.aggregator.start()
    aggregated = await stage.voice.heard(ModelAggregated, run_id=run_id, round=1)
    assert await stage.get(aggregated.manifest) == expected(tmp_path)


async def exists(file: Path) -> None:
    async with asyncio.timeout(30):
        while not file.exists():  # noqa: ASYNC110  another process makes it
            await asyncio.sleep(0.0005)


def expected(folder: Path) -> bytes:
    paths = [folder / "amber", folder / "birch"]
    for seed, path in enumerate(paths, 1):
        path.write_bytes(save(large(seed)))
    return bytes(fold(paths, [1, 2], read_layout(paths[0].read_bytes()), FedAvg()))


async def test_it_stops_when_asked(stage) -> None:
    assert "shut down gracefully" in stage.aggregator.stop()
