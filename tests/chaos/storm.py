"""The storm itself: lives that end as planned, blows that fall as planned, and how long each took to get over."""

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import assert_never

from bus.consumer import DATABASE_TROUBLE
from tests.chaos.load import LOOK_S, Load
from tests.chaos.members import Member
from tests.chaos.parts import Breakable
from tests.chaos.plan import RANDOM, Blow, Kill, Plan
from tests.chaos.world import World

START_AGAIN_AFTER_S = 0.5
FUSE_BURNS_S = 20.0
ALIVE = "select exists (select 1 from effect where pid = $1)"


@dataclass(slots=True)
class Storm:
    """``recoveries``: seconds by the name of the fault."""

    world: World
    plan: Plan
    load: Load
    recoveries: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    kills: int = 0
    failed_starts: int = 0
    ended_alone: list[str] = field(default_factory=list)

    async def rage(self, within_s: float) -> None:
        """Return when every kill and every blow has been dealt and got over, and everything written has arrived.

        What is not dealt ``within_s`` is not dealt any more.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.load.run())
            try:
                async with asyncio.timeout(within_s):
                    await self._deal()
            except TimeoutError:
                await self._mend()
            self.load.stop()

    async def _mend(self) -> None:
        """Everything runs again, and nobody is about to die."""
        world = self.world
        await world.kafka.mend()
        await world.postgres.mend()
        await world.line.open()
        for member in world.chain.members:
            member.kill()
            await member.ended.wait()
            await self._start(member, "", [])

    async def _deal(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, kills in self.plan.kills.items():
                tasks.create_task(self._lives(self.world.chain.of(name), kills))
            tasks.create_task(self._blows())

    async def _lives(self, member: Member, kills: Sequence[Kill]) -> None:
        """One life after another, as a supervisor would have it; the last one is let live."""
        died: list[tuple[str, float]] = []
        for kill in kills:
            name = kill.name
            if await self._start(member, kill.fuse, died):
                name = await self._end(member, kill)
            self.kills += 1
            died.append((name, time.monotonic()))
        await self._start(member, "", died)

    async def _start(self, member: Member, fuse: str, died: list[tuple[str, float]]) -> bool:
        """Start until it has an effect, or until its fuse has killed it."""
        while True:
            member.start(fuse)
            if await self._has_effect(member):
                now = time.monotonic()
                for name, at in died:
                    self.recoveries[name].append(now - at)
                died.clear()
                return True
            if member.status == -signal.SIGKILL:
                return False
            self.failed_starts += 1
            await asyncio.sleep(START_AGAIN_AFTER_S)

    async def _end(self, member: Member, kill: Kill) -> str:
        """Return how it died: a point that it does not come by, as a quiet one may not, must not let it live."""
        name = kill.name
        try:
            async with asyncio.timeout(kill.after_s if kill.point is None else FUSE_BURNS_S):
                await member.ended.wait()
        except TimeoutError:
            member.kill()
            name = f"kill -9 {RANDOM}"
        await member.ended.wait()
        if member.status != -signal.SIGKILL:
            self.ended_alone.append(f"{member.name} ended with {member.status}: read {member.log}")
        return name

    async def _has_effect(self, member: Member) -> bool:
        """True once this life has had an effect, False when it ended without any."""
        database = self.world.chain.databases[member.role]
        while not member.ended.is_set():
            # it is one of the things that are broken on purpose
            with suppress(*DATABASE_TROUBLE):
                if await database.fetchval(ALIVE, member.pid):
                    return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _blows(self) -> None:
        await self.load.one_through()
        for blow in self.plan.blows:
            await asyncio.sleep(blow.after_s)
            await self._fall(blow)
            healed = time.monotonic()
            await self.load.one_through()
            self.recoveries[blow.outage].append(time.monotonic() - healed)

    async def _fall(self, blow: Blow) -> None:
        """Break it, wait, mend it."""
        world = self.world
        match blow.outage:
            case "broker stopped":
                await _restart(world.kafka, signal.SIGTERM, blow.lasts_s)
            case "broker killed":
                await _restart(world.kafka, signal.SIGKILL, blow.lasts_s)
            case "database crashed":
                await _restart(world.postgres, signal.SIGQUIT, blow.lasts_s)
            case "database sessions ended":
                await _end_sessions(world)
            case "line cut":
                await world.line.cut()
                await asyncio.sleep(blow.lasts_s)
                await world.line.open()
            case "line stalled":
                world.line.stall()
                await asyncio.sleep(blow.lasts_s)
                await world.line.open()
            case never:
                assert_never(never)


async def _restart(part: Breakable, number: signal.Signals, after_s: float) -> None:
    await part.stop(number)
    await asyncio.sleep(after_s)
    await part.start()


async def _end_sessions(world: World) -> None:
    """Cut every connection of the chain, as a failing network or an impatient administrator would."""
    for database in world.chain.databases.values():
        await database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_database()"
        )
