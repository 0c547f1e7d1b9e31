"""Compiled criteria on a real PostgreSQL, beside an evaluator that reads the JSON row by row."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, reject, settings

from schemas.criteria import compile_criteria, from_circe
from schemas.sql.allowed import TABLES
from schemas.sql.judge import Listing, judge
from schemas.sql.refusal import RefusalCode, Refused
from tests.integration.omop_ground import OmopGround
from tests.unit.criteria.circe_sql import FAULTS, FOUND, circe_sql, comparable
from tests.unit.criteria.documents import Document, documents
from tests.unit.criteria.evaluator import Evaluator, World
from tests.unit.criteria.world import make_world

pytestmark = pytest.mark.integration

WORLD = make_world()


def _type(value: object) -> str:
    kinds = {date: "date", str: "text", float: "numeric"}
    return kinds.get(type(value), "integer")


def _column(table: str, name: str) -> str:
    held = [row[name] for row in WORLD[table] if row.get(name) is not None]
    widest = next((value for value in held if isinstance(value, float)), held[0] if held else None)
    text = name in ("invalid_reason", "relationship_id")
    return f"{name} {'text' if text else 'date' if name.endswith('_date') else _type(widest)}"


# Columns that Circe selects and our queries may not.
_MORE = {
    "observation": ("value_as_string",),
    "condition_occurrence": ("stop_reason",),
    "drug_exposure": ("stop_reason",),
}


def _schema(world: World) -> Iterator[str]:
    for table in world:
        columns = [_column(table, name) for name in TABLES[table]] + [f"{name} text" for name in _MORE.get(table, ())]
        yield f"create table {table} ({', '.join(columns)});"


async def _fill(connection: asyncpg.Connection) -> None:
    await connection.execute("".join(_schema(WORLD)))
    for table, rows in WORLD.items():
        columns = list(rows[0]) if rows else []
        records = [[row[name] for name in columns] for row in rows]
        if records:
            await connection.copy_records_to_table(table, records=records, columns=columns)
    await connection.execute("analyze")


@dataclass(frozen=True)
class Small:
    """The small warehouse on a server, for tests that Hypothesis runs and that are not coroutines."""

    connection: asyncpg.Connection
    loop: asyncio.AbstractEventLoop

    def run(self, script: str) -> None:
        self.loop.run_until_complete(self.connection.execute(script))

    def rows(self, sql: str) -> set[tuple[Any, ...]]:
        return {tuple(row) for row in self.loop.run_until_complete(self.connection.fetch(sql))}


@pytest.fixture(scope="module")
def small(postgres: Any) -> Iterator[Small]:
    database, loop = f"criteria_{secrets.token_hex(4)}", asyncio.new_event_loop()
    postgres.create_database(database)
    connection = loop.run_until_complete(asyncpg.connect(postgres.dsn(database)))
    loop.run_until_complete(_fill(connection))
    yield Small(connection, loop)
    loop.run_until_complete(connection.close())
    loop.close()


SAMPLES = sorted((Path(__file__).parents[1] / "unit" / "criteria" / "samples").glob("*.json"))


@pytest.fixture(scope="session")
async def warehouse(omop_ground: OmopGround) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(omop_ground.dsn_reader)
    yield connection
    await connection.close()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
async def test_each_sample_runs_on_the_cdm_and_its_attrition_never_grows(
    warehouse: asyncpg.Connection, sample: Path
) -> None:
    compiled = compile_criteria(from_circe(sample.read_text()), images=True)
    left = [{row[0] for row in await warehouse.fetch(_judged(sql))} for _, sql in compiled.rules]
    assert all(after <= before for before, after in pairwise(left))
    images = await warehouse.fetch(_judged(compiled.sql, images=True))
    assert {row[0] for row in images} == left[-1]


def _judged(sql: str, *, images: bool = False) -> str:
    verdict = judge(sql, needs_accession=images)
    assert isinstance(verdict, Listing), verdict
    return verdict.sql


def _is_short(sql: str) -> bool:
    verdict = judge(sql)
    return not (isinstance(verdict, Refused) and verdict.code in (RefusalCode.TOO_COMPLEX, RefusalCode.TOO_DEEP))


# Without shrinking, which takes minutes here: a document that fails is shown as it was drawn.
RUN = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    database=None,
)


def _three_distinct(column: str) -> Document:
    occurrence = {"Type": 2, "Count": 3, "IsDistinct": True, "CountColumn": column}
    counted = {"Criteria": {"ConditionOccurrence": {}}, "Occurrence": occurrence}
    rule = {"name": "three", "expression": {"Type": "ALL", "CriteriaList": [counted, counted]}}
    return {"PrimaryCriteria": {"CriteriaList": [{"ObservationPeriod": {}}]}, "InclusionRules": [rule]}


@settings(RUN, max_examples=80)
@example(_three_distinct("DOMAIN_CONCEPT"))
@example(_three_distinct("START_DATE"))
@given(documents())
def test_the_query_finds_whom_the_evaluator_finds(small: Small, document: Document) -> None:
    criteria = from_circe(json.dumps(document))
    evaluator = Evaluator(document, WORLD)
    people, images = (compile_criteria(criteria, images=images).sql for images in (False, True))
    assume(_is_short(images))
    assert small.rows(_judged(people)) == {(person,) for person in evaluator.persons()}
    assert small.rows(_judged(images, images=True)) == evaluator.accessions()


@settings(RUN, max_examples=50)
@given(documents().map(comparable))
def test_the_query_finds_whom_the_sql_of_circe_finds(small: Small, document: Document) -> None:
    ours = small.rows(compile_criteria(from_circe(json.dumps(document)), images=False).sql)
    small.run("BEGIN")
    try:
        small.run(circe_sql(json.dumps(document)))
        theirs = small.rows(FOUND)
    except (asyncpg.PostgresSyntaxError, asyncpg.UndefinedColumnError) as error:
        if not any(fault in str(error) for fault in FAULTS):
            raise
        reject()
    finally:
        small.run("ROLLBACK")
    assert ours == theirs
