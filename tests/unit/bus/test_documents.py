"""Rows that a batch shares: read once, written once, as the last of its handlers left them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from bus.documents import Documents, Opened
from bus.proof.signing import Author
from bus.uow import UnitOfWork, flush


class Tally(BaseModel):
    count: int = 0


@dataclass
class FakeTable:
    """A connection to one table; remembers which ids each statement read or wrote."""

    rows: dict[str, str] = field(default_factory=dict)
    reads: list[set[str]] = field(default_factory=list)
    writes: list[set[str]] = field(default_factory=list)

    async def fetch(self, _statement: str, ids: list[str]) -> list[dict[str, Any]]:
        self.reads.append(set(ids))
        return [{"id": id_, "state": self.rows[id_]} for id_ in ids if id_ in self.rows]

    async def execute(self, _statement: str, ids: list[str], states: list[str]) -> None:
        self.writes.append(set(ids))
        self.rows |= dict(zip(ids, states, strict=True))


tallies = Documents("tally", Tally)


def batch(table: FakeTable, opened: Opened, size: int) -> list[UnitOfWork]:
    return [UnitOfWork(table, Author("/tally"), datetime.now(UTC), opened=opened) for _ in range(size)]


async def add_one(uow: UnitOfWork, id_: str) -> None:
    before = await tallies.load(uow, id_) or Tally()
    tallies.save(uow, id_, Tally(count=before.count + 1))


async def test_a_row_is_read_and_written_once_however_many_events_change_it() -> None:
    table = FakeTable({"a": '{"count": 5}'})
    uows = batch(table, Opened(frozenset({"a"})), 3)
    for uow in uows:
        await add_one(uow, "a")
    await flush(*uows)
    assert (table.reads, table.writes) == ([{"a"}], [{"a"}])
    assert json.loads(table.rows["a"]) == {"count": 8}


async def test_the_keys_of_a_batch_are_read_together() -> None:
    table = FakeTable({"a": '{"count": 1}'})
    uows = batch(table, Opened(frozenset({"a", "b", "c"})), 2)
    await add_one(uows[0], "a")
    await add_one(uows[1], "b")
    await flush(*uows)
    assert table.reads == [{"a", "b", "c"}]
    assert {id_: json.loads(row)["count"] for id_, row in table.rows.items()} == {"a": 2, "b": 1}


async def test_an_id_that_is_no_key_of_the_batch_is_read_alone() -> None:
    table = FakeTable()
    (uow,) = batch(table, Opened(frozenset({"a"})), 1)
    assert await tallies.load(uow, "elsewhere") is None
    assert await tallies.load(uow, "elsewhere") is None
    assert table.reads == [{"elsewhere"}]


async def test_what_was_only_read_is_not_written() -> None:
    table = FakeTable({"a": "{}"})
    (uow,) = batch(table, Opened(), 1)
    assert await tallies.load(uow, "a") == Tally()
    await flush(uow)
    assert table.writes == []


async def test_after_settling_rows_are_read_anew() -> None:
    """SQL that goes past the documents sees what they were, and they see what it did."""
    table = FakeTable()
    (uow,) = batch(table, Opened(), 1)
    await add_one(uow, "a")
    await uow.opened.settle(table)
    assert json.loads(table.rows.pop("a")) == {"count": 1}
    assert await tallies.load(uow, "a") is None
