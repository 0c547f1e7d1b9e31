"""Many trusts in one process: each with its own login, topics, consumer group and position, and next to no hospital.

A real node keeps a database and a producer of its own. Here the group's offsets are the position, one producer speaks
for all, and every count is made up: what is left is what the hub and the broker see of a trust.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bus.decode import Decoded, read
from bus.login import Login
from bus.proof.signing import Signer
from schemas.envelope import Envelope
from schemas.message import Message
from schemas.topics import trust_principal
from schemas.trust import CohortCounted, CountCohort, TrustAnnounced
from tests.bench.saying import say

STARTING_AT_ONCE = 20
FETCH_WAIT_MS = 10_000
"""A fetch of a quiet topic waits this long at the broker; what arrives is answered at once all the same."""

METADATA_MAX_AGE_MS = 600_000


class Badge(NamedTuple):
    """What makes a process a trust: its login, and the file of its signing key."""

    trust: str
    login: Login
    key_file: Path


@dataclass(frozen=True, slots=True)
class Member:
    """One of the crowd."""

    badge: Badge
    signer: Signer
    commands: AIOKafkaConsumer
    producer: AIOKafkaProducer

    async def say(self, message: Message, cause: Envelope | None = None) -> None:
        await say(self.producer, trust_principal(self.badge.trust), message, cause, self.signer)

    async def answer(self) -> None:
        """Answer what is asked, for ever."""
        async for record in self.commands:
            found = read(record)
            if isinstance(found, Decoded) and isinstance(found.message, CountCohort):
                await self.say(_counted(found.message), found.envelope)


def crowd(badges: Sequence[Badge], speaker: Login, ready: Connection) -> None:
    """Be these trusts until the process is ended; says through ``ready`` when all are there."""
    asyncio.run(_crowd(badges, speaker, ready))


async def _crowd(badges: Sequence[Badge], speaker: Login, ready: Connection) -> None:
    gate = asyncio.Semaphore(STARTING_AT_ONCE)
    async with AIOKafkaProducer(acks="all", linger_ms=1, **speaker.options()) as producer:
        # all at once: the client would ask for each on its first send, one after the other
        await producer.client.set_topics([f"trust.{badge.trust}.events" for badge in badges])
        members = await asyncio.gather(*(_join(badge, producer, gate) for badge in badges))
        for member in members:
            await member.say(_announced(member.badge.trust))
        await producer.flush()
        ready.send("ready")
        await asyncio.gather(*(member.answer() for member in members))


async def _join(badge: Badge, producer: AIOKafkaProducer, gate: asyncio.Semaphore) -> Member:
    name = trust_principal(badge.trust)
    commands = AIOKafkaConsumer(
        f"trust.{badge.trust}.commands",
        group_id=name,
        group_instance_id=name,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        **badge.login.options(),
    )
    async with gate:
        await commands.start()
    return Member(badge, Signer.open(badge.key_file), commands, producer)


def _announced(trust: str) -> TrustAnnounced:
    return TrustAnnounced(
        trust_id=trust, approvers=("ann",), small_number_threshold=10, isolation="bubblewrap", software={}
    )


def _counted(command: CountCohort) -> CohortCounted:
    asked = {"trust_id": command.trust_id, "query_id": command.query_id, "project_id": command.project_id}
    return CohortCounted(**asked, outcome="counted", persons=120)


def names(trusts: int) -> tuple[str, ...]:
    return tuple(f"t{number:04}" for number in range(trusts))
