"""Who takes its forerunner's place in a group joins once more for topics that came since."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from bus.consumer import Consumer
from bus.wake import Wake

AMBER, BIRCH = (TopicPartition(f"trust.{trust}.events", 0) for trust in ("amber", "birch"))


class FakeKafka:
    """Subscribed to both trusts; counts how often it was asked to join once more."""

    def __init__(self) -> None:
        self.joins = 0
        self._coordinator = SimpleNamespace(request_rejoin=self.join)

    def join(self) -> None:
        self.joins += 1

    def subscription(self) -> frozenset[str]:
        return frozenset({AMBER.topic, BIRCH.topic})


def joins(monkeypatch: pytest.MonkeyPatch, *assignments: list[TopicPartition]) -> int:
    kafka, nobody = FakeKafka(), SimpleNamespace()
    monkeypatch.setattr(Consumer, "kafka", kafka)
    inbox: Any = nobody
    consumer = Consumer(inbox, Wake())
    for assigned in assignments:
        consumer._doubt(assigned)
    return kafka.joins


def test_a_topic_of_which_nothing_is_assigned_is_doubted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member of several has no partition of some topics, and that is right."""
    assert joins(monkeypatch, [AMBER], [AMBER]) == 1


def test_an_assignment_of_every_topic_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert joins(monkeypatch, [AMBER, BIRCH]) == 0
