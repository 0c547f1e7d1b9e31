"""A record that the broker refuses does not silence who said it, though its idempotent producer is out of sequence."""

import secrets

import pytest

from bus.speaker import Outgoing, Speaker, Unreachable
from schemas.topics import Topic
from tests.conftest import Broker

pytestmark = pytest.mark.integration

NARROW_BYTES = 2_000


async def test_a_speaker_goes_on_after_a_record_that_was_too_large(kafka: Broker) -> None:
    narrow = Topic(f"narrow-{secrets.token_hex(4)}", (), (), partitions=1, max_bytes=NARROW_BYTES)
    await kafka.provision([narrow])
    async with Speaker(kafka.login()) as speaker:
        await speaker.put(Outgoing(narrow.name, b"k", b"before", []))
        with pytest.raises(Unreachable):
            await speaker.put(Outgoing(narrow.name, b"k", bytes(NARROW_BYTES), []))
        await speaker.put(Outgoing(narrow.name, b"k", b"after", []))
