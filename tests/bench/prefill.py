"""A topic full of events, before anything is measured."""

from collections.abc import Iterator

from aiokafka import AIOKafkaProducer

from tests.bench.ledger.messages import WRITER, Line, Posted
from tests.bench.saying import say
from tests.conftest import Broker

KEYS = 1_000
LINES = tuple(
    Line(name=f"site_{place}_females_over_50", digest=f"{place:064x}", persons=120 + place, share=0.125 * place)
    for place in range(6)
)


def posted(events: int) -> Iterator[Posted]:
    """Return events of about 900 bytes, dealt out to the keys in turn."""
    for number in range(events):
        yield Posted(account_id=f"account-{number % KEYS}", number=number, lines=LINES)


async def fill(broker: Broker, events: int) -> None:
    async with AIOKafkaProducer(**broker.credentials(), linger_ms=5, max_batch_size=2**18) as producer:
        for message in posted(events):
            await say(producer, WRITER, message)
        await producer.flush()
