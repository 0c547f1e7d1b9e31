"""The broker is stopped in the middle of an import and started again: everything completes."""

import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from client.sdk import Trustflow
from infra.demo.claims import import_claims
from infra.demo.hospital import Hospitals
from infra.demo.play import Play
from infra.demo.screen import Screen
from infra.federation import Federation
from tests.e2e.processes import start, stop, true

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.usefixtures("everything_on")]

OUTAGE_S = 20.0
"""As long as the guarantee says."""


async def test_an_import_completes_though_the_broker_was_away_for_20_s(
    federation: Federation, hospitals: Hospitals, hub: Trustflow, tmp_path: Path
) -> None:
    play = Play(federation, hospitals, hub, Screen(Console(quiet=True)), tmp_path)
    for step in (play.make_project, play.count_cohort, play.get_approval):
        await step()
    importing = asyncio.create_task(play.bring_images())
    await true(lambda: _archived(play) > 0, 60)
    await asyncio.to_thread(stop, federation, "kafka")
    assert play.story.imports is not None
    assert not play.story.imports.finished, "the import was through before the broker was stopped"
    await asyncio.sleep(OUTAGE_S)
    start(federation, "kafka")

    await asyncio.wait_for(importing, 120)
    await play.enrich()
    found = list(import_claims(play.story, hospitals))
    assert len(found) == 5 * len(federation.trusts)
    assert [claim for claim in found if not claim.holds] == []


def _archived(play: Play) -> int:
    imports = play.story.imports
    return sum(trust.tally.archived for trust in imports.trusts.values()) if imports else 0
