"""Words looked up in a trust's own vocabulary on a real server, by the role that may call almost no function."""

from typing import Any

import pytest

from bus.lanes import CLAIM, Lanes, _run
from bus.proof.signing import Author
from bus.wake import Wake
from schemas.trust import ConceptsFound, FindConcepts
from tests.conftest import Database
from tests.integration.study_world import unit_of_work
from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.cohort.concepts import ConceptLane
from trust_node.cohort.store import Warehouse
from trust_node.cohort.vocabulary import vocabulary_trouble

pytestmark = pytest.mark.integration

LOCAL = 2_000_000_001
CONCEPTS = [
    (201826, "Type 2 diabetes mellitus", "Condition", "SNOMED", "S", "44054006"),
    (201820, "Diabetes mellitus", "Condition", "SNOMED", "S", "73211009"),
    (443238, "Diabetic - poor control", "Condition", "SNOMED", "S", "268519009"),
    (4058243, "Prediabetes", "Condition", "SNOMED", "S", "15777000"),
    (45533017, "Type 2 diabetes mellitus without complications", "Condition", "ICD10", None, "E11.9"),
    (3004410, "Hemoglobin A1c 100% of total", "Measurement", "LOINC", "S", "4548-4"),
    (3004411, "Hemoglobin A1c 1000 of total", "Measurement", "LOINC", "S", "4549-2"),
    (1, "Diabetes, withdrawn", "Condition", "SNOMED", "S", "0000"),
    (LOCAL, "Diabetes clinic of Dr Zwolinski", "Visit", "Local", "S", "ZW-1"),
]
VOCABULARY = """
insert into omop.concept (concept_id, concept_name, domain_id, vocabulary_id, concept_class_id, standard_concept,
  concept_code, valid_start_date, valid_end_date, invalid_reason)
  select * from (values {concepts}) as made;
insert into omop.concept_synonym values (201826, 'NIDDM - adult onset sugar disease', 4180186);
insert into omop.concept_synonym values (LOCAL, 'sugar disease clinic', 4180186);
insert into omop.concept_ancestor values (201820, 201820, 0, 0), (201820, 201826, 1, 1), (201820, 443238, 1, 1),
  (201820, 45533017, 2, 2), (201826, 45533017, 1, 1), (201820, LOCAL, 1, 1), (4058243, 4058243, 0, 0);
insert into omop.vocabulary (vocabulary_id, vocabulary_name, vocabulary_reference, vocabulary_version,
  vocabulary_concept_id) values ('None', 'OMOP', 'x', 'v5.0 31-AUG-25', 0);
""".replace("LOCAL", str(LOCAL))


def _row(concept: tuple[Any, ...]) -> str:
    number, name, domain, vocabulary, standard, code = concept
    kept = "null" if standard is None else f"'{standard}'"
    gone = "'D'" if "withdrawn" in name else "null"
    days = "date '1970-01-01', date '2099-12-31'"
    return f"({number}, '{name}', '{domain}', '{vocabulary}', 'Class', {kept}, '{code}', {days}, {gone})"


@pytest.fixture(scope="module")
async def ground(postgres: Database) -> Ground:
    rows = VOCABULARY.replace("{concepts}", ", ".join(map(_row, CONCEPTS)))
    return await warehouse_ground(postgres, [*cdm(), rows])


@pytest.fixture(scope="module")
async def warehouse(ground: Ground) -> Warehouse:
    return await ground.hardened()


async def find(pool: Any, warehouse: Warehouse, words: str, **wanted: Any) -> ConceptsFound:
    lanes, author = Lanes(), Author("trust-amber")
    ConceptLane(warehouse).join(lanes)
    command = FindConcepts(trust_id="amber", search_id="s1", project_id="p1", words=words, **wanted)
    async with unit_of_work(pool, author) as uow:
        uow.enqueue("concepts", command)
    await _run(next(iter(lanes)), await pool.fetchrow(CLAIM, "concepts"), pool, author, Wake())
    return ConceptsFound.parse(await pool.fetchval("delete from outbox returning value"))


def names(found: ConceptsFound) -> list[str]:
    return [concept.name for concept in found.concepts]


async def test_what_the_words_are_comes_before_what_begins_with_them_or_holds_them(pool: Any, warehouse: Any) -> None:
    found = await find(pool, warehouse, "diabetes  MELLITUS")
    assert names(found) == ["Diabetes mellitus", "Type 2 diabetes mellitus"]
    assert names(await find(pool, warehouse, "diabetes"))[-1] == "Prediabetes"
    assert (found.vocabulary_version, found.code) == ("v5.0 31-AUG-25", None)


async def test_all_words_must_be_there_in_any_order(pool: Any, warehouse: Any) -> None:
    assert names(await find(pool, warehouse, "mellitus type")) == ["Type 2 diabetes mellitus"]


async def test_other_vocabularies_are_found_when_asked_for_and_standard_concepts_come_first(
    pool: Any, warehouse: Any
) -> None:
    both = await find(pool, warehouse, "type 2 diabetes", standard_only=False)
    assert [concept.standard for concept in both.concepts] == [True, False]
    only = await find(pool, warehouse, "type 2 diabetes", standard_only=False, vocabulary="ICD10")
    assert [concept.code for concept in only.concepts] == ["E11.9"]
    assert names(await find(pool, warehouse, "diabetes", domain="Measurement")) == []


async def test_a_concept_is_found_by_its_code_and_by_the_beginning_of_it(pool: Any, warehouse: Any) -> None:
    assert names(await find(pool, warehouse, "73211009")) == ["Diabetes mellitus"]
    begun = await find(pool, warehouse, "e11", standard_only=False)
    assert [concept.code for concept in begun.concepts] == ["E11.9"]


async def test_a_synonym_leads_to_its_concept_and_is_told(pool: Any, warehouse: Any) -> None:
    (concept,) = (await find(pool, warehouse, "sugar disease")).concepts
    assert (concept.concept_id, concept.matched) == (201826, "NIDDM - adult onset sugar disease")


async def test_the_hierarchy_is_told(pool: Any, warehouse: Any) -> None:
    above, below = (await find(pool, warehouse, "diabetes mellitus")).concepts
    assert (above.parents, above.children, above.descendants) == ((), (201826, 443238), 3)
    assert (below.parents, below.children, below.descendants) == ((201820,), (45533017,), 1)


async def test_concepts_of_the_trusts_own_never_leave_nor_those_withdrawn(pool: Any, warehouse: Any) -> None:
    for words in ("diabetes", "sugar disease", "ZW-1", "Zwolinski", "clinic"):
        found = await find(pool, warehouse, words, standard_only=False, limit=100)
        assert not {LOCAL, 1} & {concept.concept_id for concept in found.concepts}
        assert "Zwolinski" not in found.model_dump_json()
        assert str(LOCAL) not in found.model_dump_json()


@pytest.mark.parametrize("words", ["100%", "1000_", "a\\", "x' OR ''='", "$1", "diabetes'; drop table concept --"])
async def test_words_are_only_ever_words(pool: Any, warehouse: Any, words: str) -> None:
    expected = ["Hemoglobin A1c 100% of total"] if words == "100%" else []
    found = await find(pool, warehouse, words)
    assert (names(found), found.code) == (expected, None)


async def test_words_are_found_without_an_index_of_names_too(pool: Any, postgres: Database) -> None:
    rows = VOCABULARY.replace("{concepts}", ", ".join(map(_row, CONCEPTS)))
    ground = await warehouse_ground(postgres, [*cdm(), rows])
    bare = await ground.hardened()
    await ground.execute("drop extension pg_trgm cascade")
    assert names(await find(pool, bare, "mellitus type")) == ["Type 2 diabetes mellitus"]
    (concept,) = (await find(pool, bare, "SUGAR disease")).concepts
    assert concept.concept_id == 201826


async def test_words_without_a_letter_are_refused(pool: Any, warehouse: Any) -> None:
    assert (await find(pool, warehouse, " %%_ ")).code == "no_words"


async def test_at_most_so_many_are_told(pool: Any, warehouse: Any) -> None:
    assert len((await find(pool, warehouse, "diabet", limit=2)).concepts) == 2


async def test_what_is_missing_of_a_vocabulary_is_named(pool: Any, postgres: Database) -> None:
    ground = await warehouse_ground(postgres, cdm())
    bare = await ground.hardened()
    assert await vocabulary_trouble(bare) == "empty_vocabulary"
    nothing = await find(pool, bare, "diabetes")
    assert (nothing.code, nothing.concepts) == ("empty_vocabulary", ())
    rows = VOCABULARY.replace("{concepts}", _row(CONCEPTS[0]))
    await ground.execute(rows, "truncate omop.concept_ancestor")
    flat = await find(pool, bare, "diabetes")
    assert (flat.code, names(flat)) == ("empty_hierarchy", ["Type 2 diabetes mellitus"])
    await ground.execute("insert into omop.concept_ancestor values (201820, 201826, 1, 1)")
    assert await vocabulary_trouble(bare) is None


async def test_a_warehouse_that_is_away_is_told_after_the_last_attempt(pool: Any) -> None:
    away = Warehouse("postgresql://nobody:x@127.0.0.1:9/omop")
    lanes, author = Lanes(), Author("trust-amber")
    ConceptLane(away).join(lanes)
    async with unit_of_work(pool, author) as uow:
        uow.enqueue("concepts", FindConcepts(trust_id="amber", search_id="s1", project_id="p1", words="diabetes"))
    await pool.execute("update job set attempts = 2")
    await _run(next(iter(lanes)), await pool.fetchrow(CLAIM, "concepts"), pool, author, Wake())
    told = ConceptsFound.parse(await pool.fetchval("delete from outbox returning value"))
    assert (told.code, told.concepts) == ("warehouse_unreachable", ())
