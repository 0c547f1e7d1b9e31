"""Hub services as processes of their own, and a voice that says and hears everything on the broker."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bus.proof.signing import Author
from bus.speaker import hear
from bus.uow import new_id, traceparent
from infra.parts.nginx import Nginx
from infra.parts.part import free_port
from schemas.envelope import envelope_for, to_headers
from schemas.message import Message
from schemas.topics import DEAD_LETTER_PREFIX, all_topics
from tests.conftest import TRUSTS, Broker

M = TypeVar("M", bound=Message)
HEAR_WITHIN_S = 60.0
STOP_WITHIN_S = 5.0


@dataclass(slots=True)
class Service:
    """One service process; it may be killed and started again on the same database."""

    name: str
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.name}"], env=os.environ | self.env, stdout=log, stderr=log
            )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> str:
        """Ask politely; raises subprocess.TimeoutExpired when it does not obey, returns its log when it does."""
        self._end(signal.SIGTERM)
        return self.log.read_text()

    def leave(self) -> None:
        """Go out of the group at once: for the next of this name, who would wait for a dead member's session to end."""
        try:
            self._end(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(STOP_WITHIN_S)


@contextmanager
def service(name: str, kafka: Broker, database: str, nginx: Nginx, folder: Path, **settings: str) -> Iterator[Service]:
    secret = folder / "objects-secret"
    secret.write_text(nginx.secret)
    env = {
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "KAFKA_PASSWORD_FILE": str(kafka.password_file(name)),
        "DATABASE_URL": database,
        "TRUST_KEYS": str(kafka.trust_keys),
        "HTTP_PORT": str(free_port()),
        "OBJECTS_URL": nginx.url,
        "OBJECTS_SECRET_FILE": str(secret),
        "SPOOL_DIR": str(folder / "spool"),
        **settings,
    }
    running = Service(name, {f"TRUSTFLOW_{key}": value for key, value in env.items()}, folder / f"{name}.log")
    running.start()
    try:
        yield running
    finally:
        if running.process and running.process.poll() is None:
            running.leave()


@dataclass(slots=True)
class Voice:
    """Says messages as whoever may say them, and keeps everything that is said from now on, in order of arrival."""

    producer: AIOKafkaProducer
    author: Callable[[str], Author]
    log: list[Message] = field(default_factory=list)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)
    listeners: list[Callable[[Message], None]] = field(default_factory=list)

    async def say(self, *messages: Message) -> None:
        """Return when the broker has all of them: what is said later comes later, on whatever topic."""
        sent = []
        for message in messages:
            author, payload = self.author(message.topic), message.to_bytes()
            envelope = envelope_for(
                message, id=new_id(), source=author.source, time=datetime.now(UTC), traceparent=traceparent(None)
            )
            headers = author.signed(to_headers(envelope), payload)
            sent.append(await self.producer.send(message.topic, payload, key=message.key.encode(), headers=headers))
        await asyncio.gather(*sent)

    async def heard(self, wanted: type[M], *, nth: int = 1, **fields: object) -> M:
        """Wait for the n-th message of this type with these fields."""
        async with self.more, asyncio.timeout(HEAR_WITHIN_S):
            while len(found := self.all(wanted, **fields)) < nth:
                await self.more.wait()
            return found[nth - 1]

    def all(self, wanted: type[M], **fields: object) -> list[M]:
        return [message for message in self.log if isinstance(message, wanted) and _has(message, fields)]

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            message = hear(record).message
            if message is not None:
                async with self.more:
                    self.log.append(message)
                    self.more.notify_all()
                for listener in self.listeners:
                    listener(message)


@asynccontextmanager
async def voice(kafka: Broker) -> AsyncIterator[Voice]:
    topics = [topic for topic in all_topics(TRUSTS) if not topic.name.startswith(DEAD_LETTER_PREFIX)]
    partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
    login = kafka.credentials()
    async with AIOKafkaProducer(**login) as producer, AIOKafkaConsumer(**login, fetch_max_wait_ms=50) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        await asyncio.gather(*(consumer.position(partition) for partition in partitions))
        speaking = Voice(producer, kafka.author)
        listening = asyncio.create_task(speaking.listen(consumer))
        try:
            yield speaking
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def _has(message: Message, fields: dict[str, object]) -> bool:
    return all(getattr(message, name, None) == value for name, value in fields.items())
