"""Processes come and go: each stops when it is asked to, and a federation that was off or has crashed goes on."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from infra import lifecycle
from infra.demo.play import Play
from infra.federation import Federation
from infra.leftovers import leftovers
from infra.parts.part import is_free
from infra.supervision import Supervisor
from tests.e2e.processes import kill, ours, stop, true
from tests.e2e.runs import Stage, Undisturbed, connected

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.usefixtures("everything_on")]

STOPS_WITHIN_S = 5.0


def test_every_process_tells_its_health_and_its_metrics(federation: Federation) -> None:
    for program in ours(federation):
        assert '"healthy": true' in _got(program.port, "health"), program.name
        assert "trustflow_" in _got(program.port, "metrics"), program.name


def test_a_second_up_changes_nothing(federation: Federation) -> None:
    before = Supervisor(federation.run).states()
    said: list[str] = []
    assert lifecycle.up(len(federation.trusts), said.append, federation.run) == federation
    assert Supervisor(federation.run).states() == before
    assert any("already running" in line for line in said)


async def test_every_process_stops_within_5_s_and_what_was_done_is_still_there_after_down_and_up(
    federation: Federation, played: Play, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    took = await asyncio.to_thread(_seconds_to_stop_each, federation)
    assert {name: seconds for name, seconds in took.items() if seconds >= STOPS_WITHIN_S} == {}
    assert await asyncio.to_thread(lifecycle.down, print, federation.run) == []
    assert leftovers(federation.run) == []
    assert await asyncio.to_thread(lifecycle.up, len(federation.trusts), print, federation.run) == federation
    await _still_knows(federation, played, undisturbed, tmp_path)


async def test_a_crash_of_everything_does_not_block_the_next_up(
    federation: Federation, played: Play, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    kill(int((federation.run / "supervisord.pid").read_text()))
    for process in leftovers(federation.run):
        kill(process.pid)
    # a process that is dying is nowhere to be seen and still holds its port
    await true(lambda: all(map(is_free, federation.ports.values())))
    assert await asyncio.to_thread(lifecycle.up, len(federation.trusts), print, federation.run) == federation
    await _still_knows(federation, played, undisturbed, tmp_path)


async def _still_knows(federation: Federation, played: Play, undisturbed: Undisturbed, folder: Path) -> None:
    async with connected(federation) as hub:
        project = await hub.project(played.story.project_id)
        assert (project.status, project.query_id) == ("active", played.story.query_id)
        stage = Stage(federation, hub, played.story.model_id)
        assert await stage.model_bytes(undisturbed.run_id, folder) == undisturbed.model
        assert await hub.create_project("Made after the restart")


def _seconds_to_stop_each(federation: Federation) -> dict[str, float]:
    """SIGTERM to all of ours at the same moment, as `make down` does."""
    names = [program.name for program in ours(federation)]
    with ThreadPoolExecutor(len(names)) as threads:
        return dict(zip(names, threads.map(lambda name: _seconds_to_stop(federation, name), names), strict=True))


def _seconds_to_stop(federation: Federation, name: str) -> float:
    began = time.monotonic()
    stop(federation, name)
    return time.monotonic() - began


def _got(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
        text: str = answer.read().decode()
    return text
