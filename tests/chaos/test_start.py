"""A start that can not succeed ends, so that whoever keeps the process starts it again."""

import asyncio
from pathlib import Path

import pytest

from infra.parts.part import free_port
from tests.chaos.members import Member, settings_of
from tests.chaos.messages import ALPHA, ROLES
from tests.conftest import Broker, Database

pytestmark = pytest.mark.integration

WITHIN_S = 30.0


@pytest.mark.parametrize("away", ["TRUSTFLOW_KAFKA_BOOTSTRAP", "TRUSTFLOW_DATABASE_URL"])
async def test_who_starts_while_a_part_is_away_does_not_stay_as_an_empty_shell(
    kafka: Broker, postgres: Database, tmp_path: Path, away: str
) -> None:
    await kafka.provision((), (), ROLES)
    nobody = free_port()
    settings = settings_of(ALPHA, 0, kafka, postgres.fresh_database(ALPHA))
    settings[away] = {
        "TRUSTFLOW_KAFKA_BOOTSTRAP": f"127.0.0.1:{nobody}",
        "TRUSTFLOW_DATABASE_URL": f"postgresql://alpha:x@127.0.0.1:{nobody}/alpha",
    }[away]
    member = Member(ALPHA, 0, settings, tmp_path / "alpha.log")
    member.start()
    try:
        async with asyncio.timeout(WITHIN_S):
            await member.ended.wait()
    finally:
        member.kill()
