"""One federation of two trusts for the whole session, in a run folder of its own, and a project ready to train."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from rich.console import Console

from client.sdk import Trustflow
from infra import lifecycle
from infra.demo.hospital import Hospitals, open_hospitals
from infra.demo.play import Play
from infra.demo.screen import Screen
from infra.federation import ROOT, Federation
from tests.e2e.runs import PLAN, Stage, Undisturbed, connected

TRUSTS = 2


@pytest.fixture(scope="session")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    run = tmp_path_factory.mktemp("federation")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("KAFKA_BOOTSTRAP", raising=False)
            patch.delenv("DATABASE_URL", raising=False)
            yield lifecycle.up(TRUSTS, print, run)
    finally:
        lifecycle.down(print, run)


@pytest.fixture(scope="session")
async def hospitals(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Hospitals:
    """Downloads are shared with whoever else uses this checkout; what is made of them is not."""
    build, cache = tmp_path_factory.mktemp("build"), ROOT / "build" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (build / "cache").symlink_to(cache)
    return await open_hospitals(federation, build, print)


@pytest.fixture(scope="session")
async def played(federation: Federation, hospitals: Hospitals, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The path up to code that every trust has approved; ``hub`` in it is closed."""
    async with connected(federation) as hub:
        play = Play(federation, hospitals, hub, Screen(Console(quiet=True)), tmp_path_factory.mktemp("played"))
        for step in (play.make_project, play.count_cohort, play.get_approval, play.bring_images, play.enrich):
            await step()
        await play.bring_code()
        return play


@pytest.fixture
async def hub(federation: Federation) -> AsyncIterator[Trustflow]:
    async with connected(federation) as hub:
        yield hub


@pytest.fixture
async def stage(federation: Federation, played: Play) -> AsyncIterator[Stage]:
    """Where runs are started and watched."""
    async with connected(federation) as hub:
        yield Stage(federation, hub, played.story.model_id)


@pytest.fixture(scope="session")
async def undisturbed(federation: Federation, played: Play, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What a run of `PLAN` comes to when nothing happens to it."""
    async with connected(federation) as hub:
        stage = Stage(federation, hub, played.story.model_id)
        run_id = await stage.start(PLAN)
        told = await stage.watch(run_id)
        return Undisturbed(run_id, told, await stage.model_bytes(run_id, tmp_path_factory.mktemp("undisturbed")))


@pytest.fixture
async def everything_on(federation: Federation) -> AsyncIterator[None]:
    """Whatever the test has stopped runs again afterwards."""
    yield
    await asyncio.to_thread(lifecycle.up, TRUSTS, print, federation.run)
