"""One batch for each partition, in order, as Kafka's own clients would place it."""

import json
from types import SimpleNamespace
from typing import Any

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from bus.parcels import PARCEL_BYTES, pack, partition_of

PARTITIONS = {"project.events": {0, 1, 2}, "trust.amber.commands": {0}}


def producer() -> Any:
    """All of a producer that packing needs."""
    cluster = SimpleNamespace(partitions_for_topic=PARTITIONS.__getitem__)
    return SimpleNamespace(client=SimpleNamespace(cluster=cluster), create_batch=lambda: BatchBuilder(PARCEL_BYTES, 0))


def row(number: int, topic: str = "trust.amber.commands", key: str | None = "k", size: int = 10) -> dict[str, Any]:
    headers = json.dumps([("ce_id", str(number))])
    return {"outbox_id": number, "topic": topic, "key": key, "value": b"x" * size, "headers": headers}


@given(st.binary(min_size=1, max_size=64), st.integers(1, 12))
def test_a_key_goes_where_kafkas_own_clients_put_it(key: bytes, partitions: int) -> None:
    everywhere = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everywhere, everywhere)


@given(st.lists(st.tuples(st.sampled_from(sorted(PARTITIONS)), st.sampled_from(["a", "b", "c", None])), max_size=40))
def test_rows_stay_in_order_and_none_is_lost(asked: list[tuple[str, str | None]]) -> None:
    rows = [row(number, topic, key) for number, (topic, key) in enumerate(asked)]
    parcels = pack(producer(), rows)
    packed = [[one["outbox_id"] for one in parcel.rows] for parcel in parcels.values()]
    assert sorted(number for numbers in packed for number in numbers) == list(range(len(rows)))
    assert all(numbers == sorted(numbers) for numbers in packed)
    assert all(one["topic"] == place.topic for place, parcel in parcels.items() for one in parcel.rows)


def test_what_does_not_fit_waits_and_nothing_behind_it_passes() -> None:
    large = PARCEL_BYTES * 2 // 3
    (parcel,) = pack(producer(), [row(0, size=large), row(1, size=large), row(2)]).values()
    assert [one["outbox_id"] for one in parcel.rows] == [0]


def test_a_record_larger_than_a_parcel_travels_alone() -> None:
    (parcel,) = pack(producer(), [row(0, size=PARCEL_BYTES + 1), row(1)]).values()
    assert [one["outbox_id"] for one in parcel.rows] == [0]
