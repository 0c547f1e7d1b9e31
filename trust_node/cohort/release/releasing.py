"""The release within one transaction: compared with all that was asked before, decided, written down, told."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pyroaring import BitMap64

from bus.database import Connection
from schemas.cohort import Spent
from trust_node.cohort.release.asked import Asked
from trust_node.cohort.release.bounding import bounded, most_cells
from trust_node.cohort.release.deciding import Answer, Deciding
from trust_node.cohort.release.errors import BudgetSpentError
from trust_node.cohort.release.policy import Cell, Key, Released, ReleasePolicy
from trust_node.cohort.release.population import Population
from trust_node.cohort.release.scale import Scale, rounded
from trust_node.cohort.release.store import Counts, Rows
from trust_node.cohort.release.tables import Table, cells_of, largest, sums_of

STUDIES_CAP = 5
"""Studies of one person that count; more would tell of that one person."""


class Releasing:
    """One user's questions in one project, in the caller's transaction: an answer and its record are kept together.

    `key`: the trust's own. `slow`: its time may tell of the data, so that nothing is free.
    `number` and `table` raise BudgetSpentError before they have looked at any set: once the
    budget is spent, nothing is answered that could tell whether two sets are the same.
    """

    def __init__(
        self,
        connection: Connection,
        policy: ReleasePolicy,
        key: bytes,
        population: Population,
        *,
        project_id: str,
        user_id: str,
        now: datetime,
        slow: bool = False,
    ) -> None:
        self._rows = Rows(connection, project_id, user_id)
        self._policy, self._key, self._population, self._now = policy, key, population, now
        self._project_id, self._slow = project_id, slow

    async def check(self) -> None:
        """Raise BudgetSpentError if nothing is left: then the warehouse need not be asked."""
        if spent := _spent(await self._counts(), self._policy):
            raise BudgetSpentError(spent)

    async def unanswered(self, *, failed: bool) -> None:
        """Record that a question has ended without an answer: it costs one, for how it ended may tell of the data.

        `failed`: by the warehouse, not by whoever asked; of these a day has few.
        """
        await self._rows.ask(self._now, spent=True, failed=failed)

    async def number(self, persons: BitMap64) -> Released | None:
        """Return distinct persons as they may leave, None if suppressed: none and too few look the same."""
        deciding = await self._begin()
        answer = (await self._decided(deciding, [Asked.of(persons, self._key)]))[0]
        await self._rows.keep([answer])
        await self._rows.ask(self._now, spent=self._slow or answer.is_new)
        margin = round(deciding.scale.sigma) or self._policy.rounding // 2
        return None if answer.persons is None else Released(answer.persons, margin)

    async def table(
        self,
        cells: Mapping[tuple[Key, ...], BitMap64],
        limit: int | None = None,
        *,
        disjoint: bool = False,
        counts: int = 1,
    ) -> tuple[Cell, ...]:
        """Return the cells that may leave, by key; costs one answer. Who is in many cells counts in a few of them only.

        `limit`: only so many, the largest as released. `disjoint`: by the form of the query nobody is in two cells.
        `counts`: how many counts of everybody the cells are of.

        Raises
        ------
        TooFineError
            A key has too many levels; commit all the same, for the question counts.
        """
        most = most_cells(self._policy, disjoint=disjoint, counts=counts)
        deciding = await self._begin(most)
        cells = largest(bounded(cells, most, self._key), deciding)
        sums = sums_of(cells, deciding.scale)
        asked = [Asked.of(persons, self._key) for persons in (*cells.values(), *(union for _, union in sums))]
        decided = await self._decided(deciding, asked)
        answers = dict(zip(cells, decided, strict=False))
        groups = [members for members, _ in sums]
        table = Table(answers, list(zip(groups, decided[len(cells) :], strict=True)), deciding.scale)
        told = table.hiding()
        await self._rows.keep(list(told.values()))
        await self._rows.keep(table.later_sums(told), told=False)
        await self._rows.ask(self._now, spent=self._slow or table.is_new)
        return cells_of(told, self._policy, limit)

    async def studies(self, persons: BitMap64, per_person: Mapping[int, int]) -> int | None:
        """Return the studies of these persons, of each at most STUDIES_CAP; None if their number is suppressed.

        Asked after `number` of the same persons, and blurred as if each person were STUDIES_CAP. Costs no answer; the
        question counts for the noise.

        Raises
        ------
        ValueError
            `number` was not asked of these persons first.
        """
        asked = Asked.of(persons, self._key)
        deciding = await self._begin(check=False)
        own = (await self._decided(deciding, [asked]))[0]
        if own.is_new:
            raise ValueError("ask number() of these persons first, in the same project and by the same user")
        await self._rows.ask(self._now, spent=False)
        if own.persons is None:
            return None
        root, told = await self._rows.root_of(asked.digest)
        if told is None:
            told = self._studies(deciding, asked, own.basis, per_person)
            await self._rows.keep_studies(root, told)
        return told

    async def spent(self) -> Spent:
        """Return what is spent of the budget, this transaction's answers among it."""
        counts = await self._counts()
        return Spent(
            user_today=counts.user_today,
            user_daily=self._policy.user_daily,
            project_today=counts.project_today,
            project_daily=self._policy.project_daily,
            project_ever=counts.project_ever,
            project_limit=self._policy.project_limit,
        )

    async def _begin(self, cells: int = 1, *, check: bool = True) -> Deciding:
        await self._rows.lock()
        counts = await self._counts()
        if check and (spent := _spent(counts, self._policy)):
            raise BudgetSpentError(spent)
        population = await self._population.at(self._now)
        return Deciding(Scale(self._policy, counts.asked, cells), self._key, self._project_id, population)

    async def _counts(self) -> Counts:
        midnight = self._now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return await self._rows.counts(midnight)

    async def _decided(self, deciding: Deciding, asked: list[Asked]) -> list[Answer]:
        book = await self._rows.book()
        near = [book.near(one, deciding.population) for one in asked]
        rows = await self._rows.earlier({number for numbers in near for number in numbers})
        return [
            deciding.answer(one, [rows[number] for number in numbers]) for one, numbers in zip(asked, near, strict=True)
        ]

    def _studies(self, deciding: Deciding, asked: Asked, basis: int, per_person: Mapping[int, int]) -> int:
        capped = sum(min(per_person.get(person, 0), STUDIES_CAP) for person in asked.members)
        persons = capped / max(asked.size, 1) * basis / STUDIES_CAP
        drawn = deciding.drawn(b"studies", asked.digest)
        return rounded(STUDIES_CAP * deciding.scale.blurred(round(persons), drawn), self._policy)


def _spent(counts: Counts, policy: ReleasePolicy) -> str | None:
    tomorrow = "it is new at midnight UTC"
    if counts.project_ever >= policy.project_limit:
        return f"The project has had all {policy.project_limit} answers of this trust; ask its data manager for more."
    if counts.project_today >= policy.project_daily:
        return f"The project has had its {policy.project_daily} answers of today; {tomorrow}."
    if counts.failed_today >= policy.failures_daily:
        return f"{counts.failed_today} queries of yours and of the project failed or took too long today; {tomorrow}."
    if counts.user_today >= policy.user_daily:
        return f"You have had your {policy.user_daily} answers of today; {tomorrow}."
    return None
