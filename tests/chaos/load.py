"""The writer at the chain's beginning: one number for every strand, again and again, and an eye on its end."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bus.consumer import DATABASE_TROUBLE
from bus.uow import traceparent
from schemas.envelope import envelope_for, to_headers
from tests.chaos.messages import Take
from tests.integration.records import Raw, send

ARRIVED = """select coalesce(min(latest), -1) from unnest($1::text[]) as wanted, lateral (
    select coalesce(max(number), -1) as latest from effect where strand = wanted) as each_strand"""
MOST_ROUNDS_AHEAD = 150
LOOK_S = 0.05
GIVE_UP_AFTER_MS = 5_000


def command_id(strand: str, number: int) -> str:
    return f"{strand}-{number}"


@dataclass(slots=True)
class Load:
    """``rounds`` numbers of each strand are on the broker; ``arrived`` of them have had their last effect."""

    login: Mapping[str, Any]
    last: Any
    strands: Sequence[str]
    round_s: float
    rounds: int = 0
    arrived: int = 0
    _producer: AIOKafkaProducer | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        """Write until told to stop, and return when everything has arrived.

        A round is acknowledged before the next begins, so that each strand is written in order.
        """
        watching = asyncio.create_task(self._watch())
        try:
            while not self._over.is_set():
                await self._write(self.rounds)
                self.rounds += 1
                await asyncio.sleep(self.round_s)
                await self._has_arrived(self.rounds - MOST_ROUNDS_AHEAD)
            await self._has_arrived(self.rounds)
        finally:
            watching.cancel()
            await self._be_silent()

    def stop(self) -> None:
        self._over.set()

    async def one_through(self) -> None:
        """Return when a round that begins after this call has arrived."""
        await self._has_arrived(self.rounds + 2)

    async def _has_arrived(self, rounds: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: self.arrived >= rounds)

    async def _write(self, number: int) -> None:
        """However long the broker is away: the same commands again, with their ids."""
        records = [_command(strand, number) for strand in self.strands]
        while True:
            try:
                return await send(await self._voice(), records)
            except KafkaError:
                # one that has given up a record is out of sequence for ever
                await self._be_silent()
                await asyncio.sleep(LOOK_S)

    async def _voice(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                **self.login, enable_idempotence=True, linger_ms=2, request_timeout_ms=GIVE_UP_AFTER_MS
            )
            await self._producer.start()
        return self._producer

    async def _be_silent(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def _watch(self) -> None:
        while True:
            # it is one of the things that are broken on purpose
            with suppress(*DATABASE_TROUBLE):
                self.arrived = 1 + await self.last.fetchval(ARRIVED, self.strands)
            async with self._progress:
                self._progress.notify_all()
            await asyncio.sleep(LOOK_S)


def _command(strand: str, number: int) -> Raw:
    take = Take(actor="ada", strand=strand, number=number)
    envelope = envelope_for(
        take,
        id=command_id(strand, number),
        source="/client",
        time=datetime.now(UTC),
        traceparent=traceparent(None),
    )
    return Raw(take.topic, take.key.encode(), take.to_bytes(), to_headers(envelope))
