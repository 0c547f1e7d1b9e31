"""Say a message as somebody, with a plain producer."""

from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from bus.proof.signing import Author, Signer
from bus.uow import new_id, traceparent
from schemas.envelope import Envelope, envelope_for, to_headers
from schemas.message import Message


def enveloped(message: Message, source: str, cause: Envelope | None = None) -> Envelope:
    return envelope_for(
        message,
        id=new_id(),
        source=f"/{source}",
        time=datetime.now(UTC),
        traceparent=traceparent(cause),
        cause=cause,
    )


async def say(
    producer: AIOKafkaProducer,
    source: str,
    message: Message,
    cause: Envelope | None = None,
    signer: Signer | None = None,
) -> Envelope:
    """Hand a message to the producer, which sends it soon; returns its envelope."""
    envelope, payload = enveloped(message, source, cause), message.to_bytes()
    headers = Author(source, signer).signed(to_headers(envelope), payload)
    await producer.send(message.topic, payload, key=message.key.encode(), headers=headers)
    return envelope
