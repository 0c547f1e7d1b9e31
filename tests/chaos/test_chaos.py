"""The storm of `make chaos`, small: 20 kills and each kind of outage once, on a broker and a database of its own."""

import secrets
from pathlib import Path

import pytest

from tests.chaos.play import plan_for, play, storm_of
from tests.chaos.world import world

pytestmark = pytest.mark.integration

KILLS = 20
WITHIN_S = 240.0


@pytest.mark.timeout(WITHIN_S + 120)
async def test_no_effect_is_lost_doubled_or_out_of_order_whatever_dies(tmp_path: Path) -> None:
    seed = secrets.randbelow(10**6)
    async with world(tmp_path) as world_:
        report = await play(storm_of(world_, plan_for(world_, seed, KILLS)), WITHIN_S)
    assert (report.ended_alone, report.faults) == ([], []), f"seed {seed}"
    assert sum(len(times) for times in report.recoveries.values()) == KILLS + len(report.plan.blows)
    assert all(report.wanted.values())
