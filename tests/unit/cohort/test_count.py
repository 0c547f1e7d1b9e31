"""A question from its judgement to what is told, with a warehouse and a release whose answers are given beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from schemas.cohort import Rule, Spent
from schemas.sql.judge import judge
from schemas.sql.tabulation import Tabulation
from schemas.trust import CohortCounted, CountCohort
from trust_node.cohort import finding
from trust_node.cohort.answering import answer
from trust_node.cohort.asking import RefusedError, parts_of, question
from trust_node.cohort.finding import find
from trust_node.cohort.release import BudgetSpentError, Cell, Key, Released
from trust_node.cohort.warehouse.faults import AWAY, TooManyCellsError, WarehouseError, WarehouseFault

PEOPLE = "SELECT person_id FROM person"
IMAGED = "SELECT person_id, accession_id FROM image_occurrence"
BY_SEX = "SELECT gender_concept_id, count(*) FROM person GROUP BY 1"
FRAME = "SELECT accession_id, modality_concept_id FROM image_occurrence"
SPENT = Spent(user_today=1, user_daily=40, project_today=1, project_daily=80, project_ever=1, project_limit=400)

Cells = dict[tuple[Key, ...], BitMap64]


def asking(sql: str = PEOPLE, **asked: Any) -> CountCohort:
    return CountCohort(trust_id="amber", query_id="q1", project_id="p1", sql=sql, asked_by="ada", **asked)


@dataclass
class KnownWarehouse:
    """`tables`: cells by a word of their SQL; a fault instead of an answer for those in `faults`."""

    people: int = 1000
    groups: Cells = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def persons(self, rows: Any) -> BitMap64:
        self._ask(rows.sql)
        return BitMap64(range(self.people))

    async def studies(self, rows: Any) -> dict[int, int]:
        return dict.fromkeys(range(self.people), 2)

    async def cells(self, table: Tabulation, limit: int) -> Cells:
        self._ask(table.sql)
        if len(self.groups) > limit:
            raise TooManyCellsError(limit)
        return self.groups

    def _ask(self, sql: str) -> None:
        self.asked.append(sql)
        for word, fault in self.faults.items():
            if word in sql:
                raise fault


@dataclass
class PlainRelease:
    """Everything of at least ten is released as it is, until the budget is spent."""

    budget: int = 100
    asked: list[int] = field(default_factory=list)

    async def number(self, persons: BitMap64) -> Released | None:
        self._spend(len(persons))
        return Released(len(persons), 9) if len(persons) >= 10 else None

    async def table(
        self, cells: Mapping[tuple[Key, ...], BitMap64], limit: int | None = None, **_: object
    ) -> tuple[Cell, ...]:
        self._spend(len(cells))
        return tuple(Cell(key, len(persons)) for key, persons in cells.items() if len(persons) >= 10)

    async def studies(self, persons: BitMap64, per_person: Mapping[int, int]) -> int | None:
        return sum(per_person[person] for person in persons)

    async def spent(self) -> Spent:
        return SPENT

    def _spend(self, size: int) -> None:
        self.asked.append(size)
        if len(self.asked) > self.budget:
            raise BudgetSpentError


async def told(message: CountCohort, warehouse: Any, release: Any = None, cells: int = 400) -> CohortCounted:
    asked = question(message)
    found = await find(asked, warehouse, cells, _on)
    return await answer(message, asked, found, release or PlainRelease())


async def _on() -> None: ...


def groups(**sizes: int) -> Cells:
    starts = {name: 1000 * at for at, name in enumerate(sizes)}
    return {(name,): BitMap64(range(starts[name], starts[name] + size)) for name, size in sizes.items()}


async def test_none_and_few_persons_get_one_identical_answer() -> None:
    rules = (Rule(name="all", sql=PEOPLE),)
    asked = asking(statistics=("sex",), rules=rules)
    answers = [await told(asked, KnownWarehouse(people, groups(a=people))) for people in (0, 1, 9)]
    assert answers[0].outcome == "suppressed"
    assert answers[0] == answers[1] == answers[2]


@given(st.integers(0, 9), st.integers(0, 9), st.integers(10, 500))
async def test_a_small_cell_is_absent_like_an_empty_one(one: int, other: int, large: int) -> None:
    worlds = [KnownWarehouse(groups=groups(large=large, small=size)) for size in (one, other)]
    first, second = [await told(asking(BY_SEX), world) for world in worlds]
    assert first == second
    assert [cell.keys for cell in first.cells] == [("large",)]


async def test_persons_studies_and_margin_are_told_apart() -> None:
    answer = await told(asking(IMAGED), KnownWarehouse(30))
    assert (answer.outcome, answer.persons, answer.studies, answer.margin) == ("counted", 30, 60, 9)
    assert answer.spent == SPENT


async def test_a_training_frame_is_told_by_its_size_alone() -> None:
    answer = await told(asking(FRAME), KnownWarehouse(30))
    assert (answer.outcome, answer.persons, answer.cells, answer.keys) == ("counted", 30, (), ())


async def test_a_limit_is_kept_to_without_asking_for_other_persons() -> None:
    warehouse, release = KnownWarehouse(500), PlainRelease()
    answer = await told(asking(f"{IMAGED} LIMIT 100"), warehouse, release)
    assert (answer.persons, answer.studies, release.asked) == (100, 100, [500])


async def test_a_single_count_is_released_like_a_list() -> None:
    answer = await told(asking("SELECT count(*) FROM person"), KnownWarehouse(groups={(): BitMap64(range(23))}))
    assert (answer.persons, answer.cells, answer.studies) == (23, (), None)
    assert (await told(asking("SELECT count(*) FROM person"), KnownWarehouse())).outcome == "suppressed"


@pytest.mark.parametrize(("least", "outcome"), [(23, "counted"), (24, "suppressed")])
async def test_having_is_of_a_single_count_as_it_is_released(least: int, outcome: str) -> None:
    warehouse = KnownWarehouse(groups={(): BitMap64(range(23))})
    answer = await told(asking(f"SELECT count(*) FROM person HAVING count(*) >= {least}"), warehouse)
    assert answer.outcome == outcome


async def test_a_table_keeps_its_keys_and_what_the_query_asks_of_released_counts() -> None:
    warehouse = KnownWarehouse(groups={(8507,): BitMap64(range(31)), (None,): BitMap64(range(40, 90))})
    answer = await told(asking(BY_SEX), warehouse)
    assert (answer.keys, answer.persons) == (("gender_concept_id",), None)
    assert [(cell.keys, cell.persons) for cell in answer.cells] == [(("8507",), 31), (("not known",), 50)]
    many = await told(asking(f"{BY_SEX} HAVING count(*) >= 40"), warehouse)
    assert [cell.persons for cell in many.cells] == [50]


async def test_a_table_with_too_many_cells_is_refused() -> None:
    with pytest.raises(TooManyCellsError, match="over 1 cells; group more coarsely"):
        await told(asking(BY_SEX), KnownWarehouse(groups=groups(a=20, b=20)), cells=1)


async def test_statistics_come_in_the_order_of_asking_with_title_and_keys() -> None:
    answer = await told(asking(statistics=("age_band", "sex")), KnownWarehouse(groups=groups(**{"40": 20})))
    assert [(one.name, one.keys, one.unit) for one in answer.statistics] == [
        ("age_band", ("from", "below"), "years"),
        ("sex", ("sex",), None),
    ]
    assert answer.statistics[0].cells[0].keys == ("40", "50")


async def test_one_statistic_that_the_warehouse_cannot_tell_spoils_no_other() -> None:
    faults: dict[str, Exception] = {"image_feature": WarehouseError(WarehouseFault.COLUMN_ABSENT, "image_feature")}
    warehouse = KnownWarehouse(groups=groups(a=20), faults=faults)
    answer = await told(asking(statistics=("manufacturer", "sex")), warehouse)
    manufacturer, sex = answer.statistics
    assert "does not hold" in (manufacturer.missing or "")
    assert (sex.missing, len(sex.cells)) == (None, 1)


@pytest.mark.parametrize("fault", sorted(AWAY))
async def test_a_statistic_is_not_left_out_for_a_fault_of_the_moment(fault: WarehouseFault) -> None:
    warehouse = KnownWarehouse(groups=groups(a=20), faults={"image_feature": WarehouseError(fault)})
    with pytest.raises(WarehouseError):
        await told(asking(statistics=("manufacturer", "sex")), warehouse)


@pytest.mark.parametrize(
    ("sql", "disjoint"),
    [
        ("SELECT gender_concept_id, count(*) FROM omop.person GROUP BY 1", True),
        ("SELECT floor(year_of_birth / 10), count(*) FROM person p WHERE year_of_birth > 1950 GROUP BY 1", True),
        ("SELECT gender_concept_id, count(*) FROM person JOIN death USING (person_id) GROUP BY 1", False),
        ("SELECT condition_concept_id, count(*) FROM condition_occurrence GROUP BY 1", False),
        ("SELECT gender_concept_id, count(*), count(*) FILTER (WHERE true) FROM person GROUP BY 1", False),
        ("SELECT gender_concept_id, count(*) FROM person GROUP BY ROLLUP (gender_concept_id)", False),
    ],
)
def test_whether_anybody_can_be_in_two_cells_is_seen_by_the_form(sql: str, disjoint: bool) -> None:
    table = judge(sql)
    assert isinstance(table, Tabulation)
    assert table.disjoint is disjoint


async def test_a_budget_that_ends_among_the_statistics_is_told_there() -> None:
    warehouse = KnownWarehouse(groups=groups(a=20))
    answer = await told(asking(statistics=("sex", "year")), warehouse, PlainRelease(budget=2))
    assert [bool(one.cells) for one in answer.statistics] == [True, False]
    assert "budget" in (answer.statistics[1].missing or "")


async def test_a_budget_that_ends_before_the_cohort_refuses_the_whole() -> None:
    with pytest.raises(BudgetSpentError):
        await told(asking(rules=(Rule(name="all", sql=PEOPLE),)), KnownWarehouse(50), PlainRelease(0))


async def test_a_budget_that_ends_at_a_rule_keeps_what_was_told_of_the_cohort() -> None:
    answer = await told(asking(rules=(Rule(name="all", sql=PEOPLE),)), KnownWarehouse(50), PlainRelease(1))
    assert (answer.outcome, answer.persons) == ("counted", 50)
    assert [(step.name, step.persons) for step in answer.attrition] == [("all", None)]


async def test_nothing_is_asked_about_the_groups_of_a_hidden_cohort() -> None:
    release = PlainRelease()
    answer = await told(asking(statistics=("sex", "year")), KnownWarehouse(5), release)
    assert release.asked == [5]
    assert all(one.missing and not one.cells for one in answer.statistics)


async def test_each_rule_is_a_step_in_its_order() -> None:
    rules = tuple(Rule(name=name, sql=PEOPLE) for name in ("everybody", "still everybody"))
    answer = await told(asking(rules=rules), KnownWarehouse(50))
    assert [(step.name, step.persons) for step in answer.attrition] == [("everybody", 50), ("still everybody", 50)]


@pytest.mark.parametrize(
    ("trouble", "sql", "code"),
    [
        ("empty_vocabulary", "SELECT person_id FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id", 1),
        ("empty_vocabulary", PEOPLE, 0),
        (None, "SELECT person_id FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id", 0),
    ],
)
async def test_an_empty_vocabulary_is_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch, trouble: Any, sql: str, code: int
) -> None:
    async def known(_warehouse: Any) -> Any:
        return trouble

    monkeypatch.setattr(finding, "vocabulary_trouble", known)
    answer = await told(asking(sql), KnownWarehouse(0))
    assert (answer.outcome, answer.code) == ("suppressed", trouble if code else None)
    assert bool(answer.reason) is bool(code)


@pytest.mark.parametrize("people", [30, 9])
async def test_of_a_table_whose_key_is_too_fine_the_question_counts(people: int) -> None:
    from trust_node.cohort.release import TooFineError

    class TooFine(PlainRelease):
        async def table(
            self, cells: Mapping[tuple[Key, ...], BitMap64], limit: int | None = None, **_: object
        ) -> tuple[Cell, ...]:
            raise TooFineError("A key of the table has over 40 levels; group more coarsely.")

    answer = await told(asking(BY_SEX), KnownWarehouse(groups=groups(a=people)), TooFine())
    assert (answer.outcome, answer.code) == ("refused", "too_fine")


@pytest.mark.parametrize(
    ("asked", "code", "word"),
    [
        (asking("SELECT person_id\nFROM person, secrets"), "table_not_allowed", ""),
        (asking(statistics=("shoe_size",)), "unknown_statistic", "sex"),
        (asking(statistics=("measurement_1_9_8_1",)), "bad_bins", "FROM below TO"),
        (asking(BY_SEX, statistics=("sex",)), "not_a_list", "person_id"),
        (asking(rules=(Rule(name="by sex", sql=BY_SEX),)), "rule_not_a_list", 'Rule "by sex"'),
        (asking(rules=(Rule(name="none", sql="SELECT 1"),)), None, 'Rule "none"'),
    ],
)
def test_what_may_not_run_is_refused_with_the_remedy(asked: CountCohort, code: str | None, word: str) -> None:
    with pytest.raises(RefusedError) as refused:
        question(asked)
    assert code in (None, refused.value.code)
    assert word in refused.value.reason


def test_a_refusal_has_its_place_in_the_query() -> None:
    with pytest.raises(RefusedError) as refused:
        question(asking("SELECT person_id\nFROM person, secrets"))
    assert (refused.value.line, refused.value.column) == (2, 14)


@pytest.mark.parametrize(("names", "parts"), [((), 1), (("sex",), 2), (("all",), 8), (("all", "measurement_1"), 9)])
def test_the_parts_that_are_foretold_are_those_that_come(names: tuple[str, ...], parts: int) -> None:
    asked = asking(statistics=names)
    assert parts_of(asked) == question(asked).parts == parts
