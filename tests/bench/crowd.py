"""Many trusts in one process: each with its own login, topics, consumer group and position, and next to no hospital.

A real node keeps a database and a producer of its own. Here the group's offsets are the position, one producer speaks
for all, and every count is made up: what is left is what the hub and the broker see of a trust.
"""

import asyncio
from collections.abc import Sequence
from multiprocessing.connection import Connection

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bus.decode import Decoded, read
from bus.login import Login
from schemas.topics import trust_principal
from schemas.trust import CohortCounted, CountCohort, TrustAnnounced
from tests.bench.saying import say

STARTING_AT_ONCE = 20
FETCH_WAIT_MS = 10_000
"""A fetch of a quiet topic waits this long at the broker; what arrives is answered at once all the same."""

METADATA_MAX_AGE_MS = 600_000


def crowd(logins: dict[str, Login], speaker: Login, ready: Connection) -> None:
    """Be these trusts until the process is ended; says through ``ready`` when all are there."""
    asyncio.run(_crowd(logins, speaker, ready))


async def _crowd(logins: dict[str, Login], speaker: Login, ready: Connection) -> None:
    async with AIOKafkaProducer(acks="all", linger_ms=1, **speaker.options()) as producer:
        await _know_topics(producer, [f"trust.{trust}.events" for trust in logins])
        consumers = await _started(logins)
        for trust in logins:
            await say(producer, trust_principal(trust), _announced(trust))
        await producer.flush()
        ready.send("ready")
        await asyncio.gather(*(_answer(trust, consumers[trust], producer) for trust in logins))


async def _know_topics(producer: AIOKafkaProducer, topics: Sequence[str]) -> None:
    """Ask for all at once: the client would ask for each on its first send, one after the other."""
    await producer.client.set_topics(topics)


async def _started(logins: dict[str, Login]) -> dict[str, AIOKafkaConsumer]:
    gate = asyncio.Semaphore(STARTING_AT_ONCE)

    async def start(trust: str) -> tuple[str, AIOKafkaConsumer]:
        async with gate:
            consumer = _consumer(trust, logins[trust])
            await consumer.start()
            return trust, consumer

    return dict(await asyncio.gather(*map(start, logins)))


def _consumer(trust: str, login: Login) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        f"trust.{trust}.commands",
        group_id=trust_principal(trust),
        group_instance_id=trust_principal(trust),
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        **login.options(),
    )


async def _answer(trust: str, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
    async for record in consumer:
        found = read(record)
        if isinstance(found, Decoded) and isinstance(found.message, CountCohort):
            await say(producer, trust_principal(trust), _counted(found.message), found.envelope)


def _announced(trust: str) -> TrustAnnounced:
    return TrustAnnounced(
        trust_id=trust, approvers=("ann",), small_number_threshold=10, isolation="bubblewrap", software={}
    )


def _counted(command: CountCohort) -> CohortCounted:
    asked = {"trust_id": command.trust_id, "query_id": command.query_id, "project_id": command.project_id}
    return CohortCounted(**asked, outcome="counted", persons=120)


def names(trusts: int) -> tuple[str, ...]:
    return tuple(f"t{number:04}" for number in range(trusts))
