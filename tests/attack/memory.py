"""The release as it runs at a trust, on a ledger in memory instead of the node's database."""

from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np
from pyroaring import BitMap64

from trust_node.cohort.release import BudgetSpentError, Cell, Key, Population, ReleasePolicy, Releasing
from trust_node.cohort.release.asked import BUCKETS, Asked
from trust_node.cohort.release.deciding import Answer
from trust_node.cohort.release.ledger import Book, Earlier
from trust_node.cohort.release.store import Counts

Result = TypeVar("Result")
START = datetime(2026, 11, 2, tzinfo=UTC)


def at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """Run what never waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("it waits")


@dataclass(slots=True)
class MemoryRows:
    """Stands in for `store.Rows`, of one project whose users ask nothing elsewhere."""

    user_id: str = "u0"
    asked: int = 0
    spent: Counter[Any] = field(default_factory=Counter)
    rows: dict[bytes, Earlier] = field(default_factory=dict)
    by_id: list[Earlier] = field(default_factory=list)
    sizes: Any = field(default_factory=lambda: np.zeros(64, np.int64))
    radii: Any = field(default_factory=lambda: np.zeros(64))
    sketches: Any = field(default_factory=lambda: np.zeros((64, BUCKETS), np.int32))

    async def lock(self) -> None:
        """Nobody else asks."""

    async def counts(self, midnight: datetime) -> Counts:
        mine, today = self.spent[midnight, self.user_id], self.spent[midnight]
        return Counts(self.asked, self.spent[midnight, "failed"], mine, today, self.spent["ever"])

    async def book(self) -> Book:
        count = len(self.by_id)
        return Book(np.arange(count), self.sizes[:count], self.radii[:count], self.sketches[:count])

    async def earlier(self, ids: Iterable[int]) -> dict[int, Earlier]:
        return {number: self.by_id[number] for number in ids}

    async def keep(self, answers: Sequence[Answer], *, told: bool = True) -> None:
        for answer in answers:
            self._keep(answer, told=told)

    def _keep(self, answer: Answer, *, told: bool) -> None:
        asked, known = answer.asked, self.rows.get(answer.asked.digest)
        if known and (known.told or not told):
            return
        number = known.asked_id if known else len(self.by_id)
        row = Earlier(
            number,
            asked.digest,
            answer.basis,
            told,
            answer.persons if told else None,
            number if answer.root is None else answer.root,
            answer.radius,
            asked.members,
        )
        self.rows[asked.digest] = row
        if known:
            self.by_id[number] = row
            return
        self.by_id.append(row)
        if number == len(self.sizes):
            self.sizes = np.concatenate([self.sizes, np.zeros_like(self.sizes)])
            self.radii = np.concatenate([self.radii, np.zeros_like(self.radii)])
            self.sketches = np.concatenate([self.sketches, np.zeros_like(self.sketches)])
        self.sizes[number], self.radii[number], self.sketches[number] = asked.size, answer.radius, asked.sketch

    async def ask(self, now: datetime, *, spent: bool, failed: bool = False) -> None:
        self.asked += 1
        if spent:
            self.spent.update([(now, self.user_id), now, "ever"])
        if failed:
            self.spent.update([(now, "failed")])


class Desk:
    """A trust that answers one project's questions. A patient attacker waits for midnight when a budget is spent."""

    def __init__(self, policy: ReleasePolicy, everyone: Asked, key: bytes, users: int = 1, project: str = "p") -> None:
        self.rows, self.users, self.asked = MemoryRows(), users, 0
        self.days, self.policy, self.key = 0, policy, key
        self.population, self.project = Population(_unread, key), project
        self.everyone = everyone

    def number(self, persons: BitMap64) -> int | None:
        released = self._patiently(lambda releasing: releasing.number(persons))
        return None if released is None else released.persons

    def table(self, cells: Mapping[tuple[Key, ...], BitMap64]) -> dict[tuple[Key, ...], int]:
        told: tuple[Cell, ...] = self._patiently(lambda releasing: releasing.table(cells))
        return {cell.key: cell.persons for cell in told}

    def _patiently(self, question: Any) -> Any:
        self.asked += 1
        for _ in range(self.users):
            try:
                return self._ask(question)
            except BudgetSpentError:
                self.rows.user_id = f"u{(int(self.rows.user_id[1:]) + 1) % self.users}"
        self.days += 1
        return self._ask(question)

    def _ask(self, question: Any) -> Any:
        now = START + timedelta(days=self.days)
        self.population._kept = (now, self.everyone)
        names = {"project_id": self.project, "user_id": self.rows.user_id, "now": now}
        releasing = Releasing(None, self.policy, self.key, self.population, **names)
        releasing._rows = self.rows  # type: ignore[assignment]  it has all the methods
        return at_once(question(releasing))


async def _unread() -> BitMap64:
    raise RuntimeError("the population is known")
