"""The bare broker: one record produced and consumed at a time, as any Kafka client would."""

from statistics import quantiles
from time import perf_counter

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bus.admin.broker_admin import administrator
from infra.federation import Federation
from schemas.topics import ADMINISTRATOR, Topic

TOPIC = "bench.ping"


async def ping(federation: Federation, times: int) -> tuple[float, ...]:
    """Return the seconds from producing each record to having it consumed."""
    login = federation.login(ADMINISTRATOR)
    async with administrator(login) as admin:
        await admin.ensure_topics((Topic(TOPIC, (), (), partitions=1),))
    async with (
        AIOKafkaProducer(acks="all", enable_idempotence=True, **login.options()) as producer,
        AIOKafkaConsumer(**login.options()) as consumer,
    ):
        consumer.assign([TopicPartition(TOPIC, 0)])
        await consumer.seek_to_end()
        return tuple([await _once(producer, consumer) for _ in range(times)])


async def _once(producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> float:
    started = perf_counter()
    await producer.send(TOPIC, b"x" * 900)
    await consumer.getone()
    return perf_counter() - started


def percentile(seconds: tuple[float, ...], which: int) -> float:
    return quantiles(seconds, n=100, method="inclusive")[which - 1]
