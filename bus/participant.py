"""A participant: a name, its handlers and lanes, put together once for every service and every trust node."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from faststream import AckPolicy
from faststream.asgi import AsgiFastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512

from bus.answers import Answers
from bus.consumer import Consumer
from bus.database import migrate, open_pool
from bus.inbox import Inbox
from bus.lanes import Lane, Lanes, requeue_orphans, work
from bus.leader import Leader
from bus.login import Login
from bus.proof.sealing import sealing_lane, witnesses
from bus.proof.signing import Author, Signer, TrustKeys
from bus.relay import Relay
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork, flush
from bus.upkeep import RETRY_EVERY_S, SWEEP_EVERY_S, now_and_then, sweep_inbox
from bus.views.projection import Projector
from bus.wake import Wake
from bus.watch import tracing
from bus.watch.health import Health, health_route
from bus.watch.logs import write_logs
from bus.watch.survey import Survey, metrics_route
from schemas.message import Accepted, Rejected
from schemas.topics import TRUST_PREFIX
from schemas.views import AnyView

STOP_WITHIN_S = 3.0
GARBAGE = (20_000, 50, 50)

OnStart = Callable[[Any, UnitOfWork], Awaitable[None]]


@dataclass(slots=True)
class Participant:
    """``name`` is the Kafka principal and consumer group; ``subscription`` is a regular expression of topic names.

    ``on_start(pool, uow)`` runs in a transaction before anything is consumed; ``running`` holds open what lanes need.
    A participant that has ``views`` is a projector: it has no handlers of its own. A trust signs by its ``signer``; who
    handles what trusts say needs their keys. ``unready`` tells what is refused for now, for ``/health``.
    """

    name: str
    settings: BusSettings
    router: Router
    subscription: str
    migrations: Path | None = None
    lanes: Lanes = field(default_factory=Lanes)
    accepted: type[Accepted] | None = None
    rejected: type[Rejected] | None = None
    on_start: OnStart | None = None
    running: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    views: tuple[AnyView, ...] = ()
    signer: Signer | None = None
    trust_keys: TrustKeys | None = None
    unready: Callable[[], Sequence[str]] = tuple

    def __post_init__(self) -> None:
        if self.name.startswith(TRUST_PREFIX) and self.signer is None:
            raise ValueError(f"{self.name} has no key to sign with: give the participant a signer")

    def app(self) -> AsgiFastStream:
        wake = Wake()
        leader = Leader(wake)
        consumer = Consumer(self._inbox(), wake)
        relay = Relay(self.settings.database_url.get_secret_value(), self._login.options(), wake, leader)
        broker = self._broker()
        consumer.subscriber = self._subscribe(broker, consumer)

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            pool = consumer.pool = await open_pool(self.settings.database_url.get_secret_value())
            await migrate(pool, self.migrations)
            leader.on_elected = partial(requeue_orphans, pool)
            await self._start(pool)
            async with self.running():
                tasks = [
                    asyncio.create_task(task)
                    for task in (
                        relay.run(),
                        now_and_then(leader, RETRY_EVERY_S, consumer.retry_deferred),
                        now_and_then(leader, SWEEP_EVERY_S, partial(sweep_inbox, pool, self.settings.inbox_days)),
                        *self._workers(pool, wake, leader),
                    )
                ]
                try:
                    yield
                except Exception:
                    # the web server was told that all is well: it would serve on, with nobody behind it
                    signal.raise_signal(signal.SIGTERM)
                    raise
                finally:
                    await _cancel(tasks)
            with suppress(TimeoutError):
                await asyncio.wait_for(pool.close(), STOP_WITHIN_S)

        return AsgiFastStream(
            broker,
            logger=logging.getLogger("faststream"),
            lifespan=lifespan,
            asgi_routes=[
                ("/health", health_route(Health(self.name, consumer, relay, self.unready))),
                ("/metrics", metrics_route(Survey(consumer, relay, leader, tuple(lane.name for lane in self._lanes)))),
            ],
        )

    def run(self) -> None:
        """Serve until SIGTERM."""
        write_logs(self.name, self.settings.log)
        tracing.start(self.name)
        _collect_garbage_less_often()
        options: dict[str, Any] = {
            "host": self.settings.http_host,
            "port": self.settings.http_port,
            "timeout_graceful_shutdown": 1,
            "access_log": "false",
            "log_config": None,
        }
        asyncio.run(self.app().run(run_extra_options=options))

    def _inbox(self) -> Inbox:
        answers = Answers(self.name, self.accepted, self.rejected)
        if self.views:
            return Projector(self.name, self.router, answers, self.signer, self.trust_keys, views=self.views)
        return Inbox(self.name, self.router.joined(witnesses), answers, self.signer, self.trust_keys)

    async def _start(self, pool: Any) -> None:
        if self.on_start is None:
            return
        async with pool.acquire() as connection, connection.transaction():
            uow = UnitOfWork(connection, self._author, datetime.now(UTC))
            await self.on_start(pool, uow)
            await flush(uow)

    def _workers(self, pool: Any, wake: Wake, leader: Leader) -> list[Coroutine[Any, Any, None]]:
        return [work(lane, pool, self._author, wake, leader) for lane in self._lanes for _ in range(lane.workers)]

    @property
    def _lanes(self) -> tuple[Lane, ...]:
        return (*self.lanes, sealing_lane(self.name))

    @property
    def _author(self) -> Author:
        return Author(self.name, self.signer)

    @property
    def _login(self) -> Login:
        settings = self.settings
        return Login(settings.kafka_bootstrap, self.name, settings.kafka_password, settings.kafka_ca_file)

    def _broker(self) -> KafkaBroker:
        return KafkaBroker(
            self.settings.kafka_bootstrap,
            security=SASLScram512(self.name, self.settings.kafka_password, ssl_context=self._login.ssl_context),
            client_id=self.name,
            apply_types=False,
            serializer=None,
            allow_auto_create_topics=False,
            graceful_timeout=STOP_WITHIN_S,
            logger=logging.getLogger("faststream"),
            log_level=logging.DEBUG,
        )

    def _subscribe(self, broker: KafkaBroker, consumer: Consumer) -> Any:
        """Raw records, acknowledged by hand: FastStream's own policies lose events or spin for ever."""
        subscriber = broker.subscriber(
            pattern=self.subscription,
            group_id=self.name,
            # a successor takes over at once instead of after its forerunner's session
            group_instance_id=f"{self.name}-{self.settings.member}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            listener=consumer,
            parser=_raw,
            decoder=_record,
        )
        subscriber(consumer.take)
        return subscriber


async def _raw(record: Any) -> KafkaMessage:
    """Keep FastStream's hands off headers and bodies: a bad one must reach our own decoder."""
    return KafkaMessage(body=b"", raw_message=record, consumer=None)  # type: ignore[arg-type]  # acknowledged by hand


async def _record(message: KafkaMessage) -> Any:
    return message.raw_message


def _collect_garbage_less_often() -> None:
    """What is imported stays, and what an event makes is gone soon: to look for it is a fifth of an event's cost."""
    gc.freeze()
    gc.set_threshold(*GARBAGE)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
