"""A trust that has gone bad: it has its password and its key, and says whatever it likes to a real aggregator."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from bus.decode import ORIGIN
from bus.uow import new_id, traceparent
from schemas.aggregation import UpdateRefused
from schemas.envelope import envelope_for, to_headers
from schemas.manifest import Part, manifest_of
from schemas.topics import REDRIVE_PREFIX, redrive_topic
from schemas.trust import UpdateSubmitted
from tests.conftest import Broker
from tests.integration.records import Raw, Reader, header, send

DIGEST = "ab" * 32


@dataclass(frozen=True, slots=True)
class Intruder:
    """``run_id`` is of a run that is over: an honest update is answered so. ``heard``: what the aggregator says."""

    kafka: Broker
    producer: AIOKafkaProducer
    operator: AIOKafkaProducer
    heard: Reader
    run_id: str
    reader_url: str

    def update(self, *, trust: str = "amber", source: str = "/trust-amber") -> Raw:
        manifest = manifest_of(f"runs/{self.run_id}/1/{trust}", [Part(index=0, size=64, sha256=DIGEST)])
        about = {"trust_id": trust, "run_id": self.run_id, "round": 1, "kind": "train"}
        message = UpdateSubmitted(**about, examples=10, metrics={"loss": 1.0}, manifest=manifest)
        envelope = envelope_for(
            message, id=new_id(), source=source, time=datetime.now(UTC), traceparent=traceparent(None)
        )
        return Raw("trust.amber.updates", message.key.encode(), message.to_bytes(), to_headers(envelope))

    def signed(self, record: Raw, *, by: str = "amber") -> Raw:
        author = self.kafka.author(f"trust.{by}.updates")
        return replace(record, headers=author.signed(record.headers, record.value or b""))

    def renamed(self, record: Raw, attribute: str = "id") -> Raw:
        return replace(record, headers=record.but(**{attribute: new_id().encode()}))

    def redriven(self, record: Raw) -> Raw:
        """As an operator would send it again, had it been put aside."""
        origin = (ORIGIN, b"trust.amber.updates/0/0")
        return replace(record, topic=redrive_topic("aggregator"), headers=[*record.headers, origin])

    async def answer(self, record: Raw) -> str:
        """Return the code of the dead letter, or of the aggregator's refusal."""
        await send(self.operator if record.topic.startswith(REDRIVE_PREFIX) else self.producer, [record])
        return (await self.answers_to(record, 1))[0]

    async def answers_to(self, record: Raw, number: int) -> list[str]:
        """Every answer there is, once there are so many: dead letters first."""
        return list(
            await self.heard.until(lambda records: len(codes := _codes(records, record.id)) >= number and codes)
        )

    async def answers_after_sending_again(self, record: Raw) -> int:
        """How often it was answered in all, once an update sent after it is answered."""
        await send(self.producer, [record])
        await self.answer(self.signed(self.update()))
        return len(_codes(self.heard.records, record.id))


def _codes(records: list[Any], id_: str) -> list[str]:
    """What the aggregator said of a record with this id: by dead letters, or by refusals."""
    letters = [header(record, "tf-code") for record in records if header(record, "ce_id") == id_]
    refusals = [record for record in records if header(record, "ce_causationid") == id_]
    return [*letters, *(UpdateRefused.parse(record.value).code for record in refusals)]
