"""What is left after a storm, in databases and on topics, as the judge wants it."""

from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import AUDIT_EVENTS, Topic, own_topics
from tests.chaos.checker import Said, Stage, Step
from tests.chaos.messages import ALPHA, ALPHA_EVENTS, BETA, BETA_EVENTS, Arrived, PassedOn, Taken
from tests.integration.records import header

UNSAID = """select (select count(*) from outbox where topic <> $1) + (select count(*) from deferred)"""
"""But for heads of audit chains, which are said every minute, whatever else is."""

SPEAKS: Mapping[str, tuple[Topic, type[PassedOn | Arrived]]] = {
    ALPHA: (ALPHA_EVENTS, PassedOn),
    BETA: (BETA_EVENTS, Arrived),
}


async def stage(role: str, database: Any, login: dict[str, Any]) -> Stage:
    effects = await database.fetch("select strand, number from effect order by seq")
    said, answers = await _words(role, login)
    dead_letters, _ = own_topics(role)
    return Stage(
        name=role,
        effects=[(row["strand"], row["number"]) for row in effects],
        inbox=await database.fetchval("select count(*) from inbox"),
        unsaid=await database.fetchval(UNSAID, AUDIT_EVENTS),
        put_aside=len(await everything_on(login, dead_letters, lambda letter: letter.offset)),
        said=said,
        answers=answers,
    )


async def _words(role: str, login: dict[str, Any]) -> tuple[list[Said] | None, list[Said] | None]:
    """What it passed on, and what it answered; nothing for who does not speak."""
    if role not in SPEAKS:
        return None, None
    topic, passes_on = SPEAKS[role]
    records = await everything_on(login, topic, lambda record: (header(record, "ce_type"), record))
    said = [_told(record, _step(passes_on.parse(record.value))) for type_, record in records if type_ == passes_on.type]
    answers = [_answered(Taken.parse(record.value)) for type_, record in records if type_ == Taken.type]
    return said, answers if role == ALPHA else None


async def everything_on(login: dict[str, Any], topic: Topic, keep: Callable[[Any], Any]) -> list[Any]:
    """Return what ``keep`` makes of each record, partition after partition."""
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    kept: dict[TopicPartition, list[Any]] = {partition: [] for partition in partitions}
    consumer = AIOKafkaConsumer(**login, fetch_max_wait_ms=50, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while [at for at, end in ends.items() if await consumer.position(at) < end]:
            for partition, records in (await consumer.getmany(timeout_ms=100)).items():
                kept[partition] += map(keep, records)
    finally:
        await consumer.stop()
    return [record for partition in partitions for record in kept[partition]]


def _told(record: Any, step: Step) -> Said:
    return Said(header(record, "ce_id"), step)


def _step(message: PassedOn | Arrived) -> Step:
    return message.strand, message.number


def _answered(answer: Taken) -> Said:
    """By the command's id: a command that is sent again is answered again."""
    strand, _, number = answer.command_id.rpartition("-")
    return Said(answer.command_id, (strand, int(number)))
