"""How somebody outside the hub speaks: ask a command and wait for its answer, read events without joining a group."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from bus.decode import Record, Unreadable, read_envelope, read_message
from bus.letters import REDRIVEN_BY
from bus.login import Login
from bus.uow import new_id, traceparent
from bus.views.history import LARGE_FETCHES, History
from bus.watch import tracing
from schemas.envelope import Envelope, Header, envelope_for, to_headers
from schemas.message import Accepted, Answer, Command, Message, Rejected
from schemas.topics import CLIENT, HUB_TOPICS

HUB_EVENTS = tuple(topic.name for topic in HUB_TOPICS if CLIENT in topic.readers)
"""Every topic that the client may read; answers to its commands are among them."""

ANSWER_TIMEOUT_S = 15.0
POLL_MS = 200


class Unreachable(Exception):
    """The broker doesn't answer, or doesn't let us in; the text names the remedy."""


class NoAnswer(Exception):
    """The command was sent, and its service has not answered in time; ``command_id`` is for asking again."""

    def __init__(self, sentence: str, command_id: str | None = None) -> None:
        super().__init__(sentence)
        self.command_id = command_id


class CommandRejected(Exception):
    """The service refused: ``code`` is stable, ``reason`` a plain sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place in each partition: what comes after it has not been read."""

    offsets: Mapping[TopicPartition, int]


Since = datetime | Bookmark | None
Until = Bookmark | Literal["now"] | None


@dataclass(frozen=True, slots=True)
class Heard:
    """A record as it was read. ``fault`` is the code that says why no message could be made of it.

    A dead letter names who put it aside and its origin, ``topic/partition/offset``; what was sent again names who did.
    """

    topic: str
    partition: int
    offset: int
    at: datetime
    key: str
    envelope: Envelope | None
    message: Message | None
    fault: str | None = None
    put_aside_by: str | None = None
    redriven_by: str | None = None
    origin: str | None = None

    @property
    def answer(self) -> Answer | None:
        return self.message if isinstance(self.message, Answer) else None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record before it is written."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


def hear(record: Record) -> Heard:
    """Decode a record; nothing that it may hold raises. Of a dead letter only the envelope is read."""
    envelope = read_envelope(record)
    headers = {name: (value or b"").decode("latin-1") for name, value in record.headers if value is not None}
    message: Message | None = None
    fault = headers.get("tf-code")
    if isinstance(envelope, Unreadable):
        fault = fault or envelope.code
    elif fault is None:
        decoded = read_message(record, envelope)
        if isinstance(decoded, Unreadable):
            fault = decoded.code
        else:
            message = decoded.message
    return Heard(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=(record.key or b"").decode("latin-1"),
        envelope=envelope if isinstance(envelope, Envelope) else None,
        message=message,
        fault=fault,
        put_aside_by=headers.get("tf-group"),
        redriven_by=headers.get(REDRIVEN_BY),
        origin=headers.get("tf-origin"),
    )


class Speaker:
    """One principal's voice and ears; use it as an async context manager. Connections open when they are needed.

    The administrator, who may write everywhere, speaks under the ``name`` of somebody else.
    """

    def __init__(self, login: Login, name: str | None = None) -> None:
        self._login = login
        self._name = name or login.principal
        self._producer: AIOKafkaProducer | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        tracing.start(self._name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._producer:
            await self._producer.stop()

    async def send(self, message: Message) -> Envelope:
        """Say a message and return its envelope; the answer to a command may be read from the events."""
        envelope = self._envelope(message)
        await self._send(message, envelope)
        return envelope

    async def put(self, *records: Outgoing) -> None:
        """Write records as they are, in this order; return when the broker has all of them."""
        with reaching(self._login):
            producer = await self._voice()
            try:
                sent = [
                    await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers))
                    for record in records
                ]
                await asyncio.gather(*sent)
            except KafkaError:
                await self._lose_voice(producer)
                raise

    async def ask(
        self, command: Command, timeout_s: float = ANSWER_TIMEOUT_S, *, command_id: str | None = None
    ) -> Accepted:
        """Send a command and wait for what becomes of it.

        After NoAnswer it may be asked again under the ``command_id`` of the exception: it has one effect, whatever was
        carried out meanwhile, and its first answer is given again.

        Raises
        ------
        CommandRejected, NoAnswer, Unreachable
        """
        listening = await self._listen()
        envelope = self._envelope(command, command_id)
        answer = self._waiting[envelope.id] = asyncio.get_running_loop().create_future()
        try:
            await self._send(command, envelope)
            await asyncio.wait({answer, listening}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            return _accepted(answer, command, envelope.id, timeout_s)
        finally:
            del self._waiting[envelope.id]

    async def bookmark(self, topics: Iterable[str] = HUB_EVENTS) -> Bookmark:
        """Where these topics end now: pass it to `events` to miss nothing of what a later command causes."""
        async with self._consumer(topics) as (consumer, partitions):
            return Bookmark(await consumer.end_offsets(partitions))

    async def topics(self) -> tuple[str, ...]:
        """Every topic that this principal may know of."""
        async with self._consumer() as (consumer, _):
            return tuple(sorted(await consumer.topics()))

    async def events(
        self, topics: Iterable[str] = HUB_EVENTS, *, since: Since = None, until: Until = None
    ) -> AsyncGenerator[Heard, None]:
        """Read from the beginning, a time or a bookmark; for ever, or until a bookmark, or until what is the end now.

        Records of one key come in order; across partitions there is none.
        """
        async with aclosing(self.records(topics, since=since, until=until)) as records:
            async for record in records:
                yield hear(record)

    async def records(
        self, topics: Iterable[str], *, since: Since = None, until: Until = None
    ) -> AsyncGenerator[Record, None]:
        """Read as `events` does, and decode nothing."""
        async with self._consumer(topics) as (consumer, partitions):
            ends = await _ends(consumer, partitions, until)
            starts = await _starts(consumer, partitions, since)
            consumer.assign(partitions)
            # no await between assigning and seeking: a fetch under way from elsewhere costs half a second
            for partition, offset in starts.items():
                consumer.seek(partition, offset)
            while ends is None or await _behind(consumer, ends):
                for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    for record in records:
                        yield record

    @asynccontextmanager
    async def history(self, topics: Iterable[str]) -> AsyncIterator[History]:
        """These topics, to be read in large batches from any place to any other, more than once."""
        async with self._consumer(topics, **LARGE_FETCHES) as (consumer, partitions):
            yield History(consumer, partitions)

    def _envelope(self, message: Message, id_: str | None = None) -> Envelope:
        return envelope_for(
            message,
            id=id_ or new_id(),
            source=f"/{self._name}",
            time=datetime.now(UTC),
            traceparent=traceparent(None),
        )

    async def _send(self, message: Message, envelope: Envelope) -> None:
        tracing.created(envelope, message.topic)
        await self.put(Outgoing(message.topic, message.key.encode(), message.to_bytes(), to_headers(envelope)))

    async def _voice(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    acks="all", enable_idempotence=True, request_timeout_ms=15_000, **self._login.options()
                )
                await _started(producer.start, producer.stop)
                self._producer = producer
            return self._producer

    async def _lose_voice(self, producer: AIOKafkaProducer) -> None:
        """An idempotent producer that has given up a record is out of sequence for ever: the next is a new one."""
        if self._producer is producer:
            self._producer = None
        await producer.stop()

    async def _listen(self) -> asyncio.Task[None]:
        """Be at the end of the answers before anything is asked."""
        async with self._starting:
            if self._listening is None or self._listening.done():
                self._listening = asyncio.create_task(self._deliver(await self.bookmark()))
            return self._listening

    async def _deliver(self, since: Bookmark) -> None:
        async with aclosing(self.events(since=since)) as stream:
            async for heard in stream:
                answer = heard.answer
                waiting = self._waiting.get(answer.command_id) if answer else None
                if answer and waiting and not waiting.done():
                    waiting.set_result(answer)

    @asynccontextmanager
    async def _consumer(
        self, topics: Iterable[str] = (), **options: int
    ) -> AsyncIterator[tuple[AIOKafkaConsumer, tuple[TopicPartition, ...]]]:
        """A consumer that knows these topics' partitions and reads nothing yet."""
        consumer = AIOKafkaConsumer(
            *topics,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **options,
            **self._login.options(),
        )
        with reaching(self._login):
            try:
                await consumer.start()
                partitions = tuple(sorted(consumer.assignment()))
                # a subscription would fetch from its own positions, and begin anew when a broker comes back
                consumer.unsubscribe()
                yield consumer, partitions
            finally:
                await consumer.stop()


@contextmanager
def reaching(login: Login) -> Iterator[None]:
    """Turn what the Kafka client says into what to do about it.

    Raises
    ------
    Unreachable
    """
    try:
        yield
    except (TopicAuthorizationFailedError, UnknownTopicOrPartitionError) as error:
        raise Unreachable(
            f"{login.principal} may not use that topic, or it does not exist: the operator reads every topic"
        ) from error
    except (KafkaError, OSError) as error:
        raise Unreachable(
            f"no broker lets us in at {login.bootstrap} ({type(error).__name__}): "
            "`make status` shows what runs, `make up` starts it"
        ) from error


async def _started(start: Callable[[], Any], stop: Callable[[], Any]) -> None:
    """A client whose start failed holds open connections."""
    try:
        await start()
    except BaseException:
        await stop()
        raise


async def _starts(
    consumer: AIOKafkaConsumer, partitions: tuple[TopicPartition, ...], since: Since
) -> Mapping[TopicPartition, int]:
    if isinstance(since, Bookmark):
        return _within(since, partitions)
    if since is None:
        return await consumer.beginning_offsets(partitions)  # type: ignore[no-any-return]  # aiokafka is untyped
    ends = await consumer.end_offsets(partitions)
    milliseconds = int(since.timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
    return {partition: found[partition].offset if found[partition] else ends[partition] for partition in partitions}


async def _ends(
    consumer: AIOKafkaConsumer, partitions: tuple[TopicPartition, ...], until: Until
) -> Mapping[TopicPartition, int] | None:
    if until == "now":
        return await consumer.end_offsets(partitions)  # type: ignore[no-any-return]  # aiokafka is untyped
    return _within(until, partitions) if until else None


def _within(bookmark: Bookmark, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Its places in these partitions: a bookmark may be of more topics than are read."""
    return {partition: bookmark.offsets[partition] for partition in partitions if partition in bookmark.offsets}


async def _behind(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    positions = [(await consumer.position(partition), end) for partition, end in ends.items()]
    return any(position < end for position, end in positions)


def _accepted(answer: "asyncio.Future[Answer]", command: Command, id_: str, timeout_s: float) -> Accepted:
    if not answer.done():
        service = next((topic.readers[0] for topic in HUB_TOPICS if topic.name == command.topic), command.topic)
        raise NoAnswer(
            f"the {service} service gave no answer within {timeout_s:g} s: `make status` shows whether it runs; "
            f"the command waits on {command.topic} and is carried out when it does",
            id_,
        )
    said = answer.result()
    if isinstance(said, Rejected):
        raise CommandRejected(said.code, said.reason)
    if not isinstance(said, Accepted):
        raise TypeError(f"{said.type} is neither accepted nor rejected")
    return said
