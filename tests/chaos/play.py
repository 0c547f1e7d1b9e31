"""One storm from beginning to end: a world, a load, a plan, and what was left."""

import asyncio
import secrets
import time

from tests.chaos.evidence import stage
from tests.chaos.load import Load
from tests.chaos.messages import BETA, CHAIN, GAMMA
from tests.chaos.plan import Plan, draw
from tests.chaos.report import Report
from tests.chaos.storm import Storm
from tests.chaos.world import World

STOP_WITHIN_S = 15.0


def plan_for(world: World, seed: int, kills: int) -> Plan:
    """In a relay dies only who leads for sure: the only member of a role that speaks."""
    members = world.chain.members
    speakers = [member.name for member in members if member.role == BETA]
    return draw(seed, kills, speakers, [member.name for member in members if member.name not in speakers])


def storm_of(world: World, plan: Plan, *, strands: int = 24, round_s: float = 0.08) -> Storm:
    names = [f"s{secrets.token_hex(3)}" for _ in range(strands)]
    return Storm(world, plan, Load(world.broker.credentials(), world.chain.databases[GAMMA], names, round_s))


async def play(storm: Storm, within_s: float) -> Report:
    """Rage, let everything come to rest, and judge."""
    began = time.monotonic()
    await storm.rage(within_s)
    seconds = time.monotonic() - began
    world = storm.world
    await asyncio.gather(*(member.end(STOP_WITHIN_S) for member in world.chain.members))
    login = world.broker.credentials()
    return Report(
        plan=storm.plan,
        kills=storm.kills,
        recoveries=storm.recoveries,
        failed_starts=storm.failed_starts,
        ended_alone=storm.ended_alone,
        wanted=dict.fromkeys(storm.load.strands, storm.load.rounds),
        stages=[await stage(role, world.chain.databases[role], login) for role in CHAIN],
        seconds=seconds,
    )
