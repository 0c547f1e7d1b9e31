"""What waits is shown at the moment somebody looks, and a database that is away is said to be away."""

from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from bus.watch.behind import Behind
from bus.watch.survey import Jobs, Survey, Waiting, show_waiting
from tests.unit.bus.recorded import FakeRecord

NOTHING = Waiting(0, 0.0, 0, 0, 0, 0.0, ())
EVENTS, COMMANDS = TopicPartition("tested.events", 0), TopicPartition("tested.commands", 1)


class Kafka:
    """Two partitions: one has been read to its end, one has not."""

    def __init__(self, *partitions: TopicPartition) -> None:
        self.partitions = set(partitions)

    def assignment(self) -> set[TopicPartition]:
        return self.partitions

    def paused(self) -> set[TopicPartition]:
        return {COMMANDS} & self.partitions

    def highwater(self, partition: TopicPartition) -> int:
        return 10 if partition == COMMANDS else 7

    async def position(self, _partition: TopicPartition) -> int:
        return 7


class Away:
    @asynccontextmanager
    async def acquire(self) -> Any:
        raise ConnectionRefusedError
        yield


def survey(kafka: Kafka | None, halted: str | None = None, leads: bool = True) -> Survey:
    consumer: Any = SimpleNamespace(kafka=kafka, behind=Behind(), halted=halted, pool=Away())
    relay: Any = SimpleNamespace(held={"trust.gone.commands": "it is not there"})
    leader: Any = SimpleNamespace(elected=SimpleNamespace(is_set=lambda: leads))
    return Survey(consumer, relay, leader, ("slow",))


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"trustflow_{name}", labels)


async def test_a_database_that_is_away_is_said_to_be_and_the_rest_is_shown_all_the_same() -> None:
    await survey(Kafka(EVENTS, COMMANDS), halted="101 records in a row were put aside").refresh()
    assert (shown("database_up"), shown("consumer_halted"), shown("relay_held_topics")) == (0, 1, 1)
    assert (shown("consumer_partitions", state="assigned"), shown("consumer_partitions", state="paused")) == (2, 1)


async def test_lag_is_that_of_our_own_partitions_and_of_no_others() -> None:
    await survey(Kafka(EVENTS, COMMANDS)).refresh()
    assert shown("consumer_lag_records", topic=COMMANDS.topic, partition="1") == 3
    assert shown("consumer_lag_records", topic=EVENTS.topic, partition="0") == 0
    await survey(Kafka(EVENTS)).refresh()
    assert shown("consumer_lag_records", topic=COMMANDS.topic, partition="1") is None


async def test_a_record_in_hand_is_as_old_as_it_is() -> None:
    looking = survey(Kafka(COMMANDS))
    looking.consumer.behind.taken(COMMANDS, FakeRecord(COMMANDS.topic, b"", b"", (), offset=5, timestamp=0))
    await looking.refresh()
    assert shown("consumer_lag_records", topic=COMMANDS.topic, partition="1") == 5
    assert (shown("consumer_lag_seconds", topic=COMMANDS.topic, partition="1") or 0) > 1e9


async def test_before_the_first_assignment_and_without_the_lead_nothing_is_ours() -> None:
    await survey(None, leads=False).refresh()
    assert (shown("relay_active"), shown("consumer_partitions", state="assigned")) == (0, 0)


def test_a_lane_that_is_idle_is_0_and_not_absent() -> None:
    show_waiting(NOTHING, ("idle",))
    assert shown("jobs", lane="idle", state="waiting") == 0
    assert shown("job_seconds_count", lane="idle", outcome="done") == 0


def test_jobs_are_shown_by_lane_and_0_again_when_they_are_done() -> None:
    show_waiting(Waiting(1, 2.0, 3, 4, 5, 6.0, (Jobs("busy", 1, 2, 3.0),)), ("busy",))
    assert (shown("jobs", lane="busy", state="running"), shown("job_oldest_seconds", lane="busy")) == (1, 3)
    assert [shown(name) for name in ("outbox_pending", "outbox_oldest_seconds", "deadlines_ahead")] == [1, 2, 3]
    show_waiting(NOTHING, ("busy",))
    assert (shown("jobs", lane="busy", state="running"), shown("outbox_pending")) == (0, 0)
