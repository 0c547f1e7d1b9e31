"""Every good query of the corpora runs on real data, read by the role that a trust would give."""

from collections.abc import AsyncIterator

import asyncpg
import postgast
import pytest

from schemas.sql.judge import Frame, judge
from schemas.sql.outputs import default_name
from schemas.sql.refusal import Refused
from schemas.sql.tabulation import Tabulation
from tests.corpora.reading import Sample, good
from tests.integration.omop_ground import OmopGround

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def reader(omop_ground: OmopGround) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(omop_ground.dsn_reader, server_settings={"jit": "off"})
    yield connection
    await connection.close()


@pytest.mark.parametrize("sample", good(), ids=str)
async def test_a_good_query_is_accepted_and_runs_as_it_was_judged(sample: Sample, reader: asyncpg.Connection) -> None:
    verdict = judge(sample.sql)
    assert not isinstance(verdict, Refused), verdict
    statement = await reader.prepare(verdict.sql)
    width = len(verdict.keys) + 1 if isinstance(verdict, Tabulation) else len(verdict.columns)
    assert len(statement.get_attributes()) == width
    await reader.execute(f"SELECT FROM (\n{verdict.sql}\n) AS judged")


async def test_the_persons_of_each_cell_are_those_that_the_servers_own_count_finds(reader: asyncpg.Connection) -> None:
    counted = "SELECT gender_concept_id, count(DISTINCT person_id) FROM person GROUP BY gender_concept_id"
    verdict = judge(counted)
    assert isinstance(verdict, Tabulation)
    cells: dict[int, set[int]] = {}
    for concept, person in await reader.fetch(verdict.sql):
        cells.setdefault(concept, set()).add(person)
    assert {concept: len(persons) for concept, persons in cells.items()} == dict(
        map(tuple, await reader.fetch(counted))
    )


async def test_several_counts_of_one_query_come_as_cells_of_their_own(reader: asyncpg.Connection) -> None:
    verdict = judge(
        "SELECT count(*) AS everybody, count(*) FILTER (WHERE year_of_birth < 1950) AS old, "
        "sum(CASE WHEN year_of_birth < 1950 THEN 1 ELSE 0 END) AS flagged FROM person"
    )
    assert isinstance(verdict, Tabulation)
    rows = [tuple(row) for row in await reader.fetch(verdict.sql)]
    old = await reader.fetchval("SELECT count(*) FROM person WHERE year_of_birth < 1950")
    sizes = {name: sum(1 for measure, _ in rows if measure == name) for name, _ in rows}
    assert sizes == {"everybody": 1130, "old": old, "flagged": old}


_SEX = "SELECT gender_concept_id AS g, count(DISTINCT person_id) AS n FROM person GROUP BY gender_concept_id"
_SAME = "{0}"
# What is counted, the keys, and what the server's own counts are, cell by cell.
_CELLS = {
    "a union with labels": (
        """SELECT 'dead' AS who, count(DISTINCT person_id) AS n FROM death
        UNION ALL SELECT 'imaged', count(DISTINCT person_id) FROM image_occurrence""",
        ("who",),
        _SAME,
    ),
    "counts read out": (
        f"WITH t AS ({_SEX}) SELECT c.concept_name, t.n AS persons FROM t JOIN concept c ON c.concept_id = t.g",
        ("concept_name",),
        _SAME,
    ),
    "star of counts": (f"SELECT * FROM ({_SEX}) t ORDER BY n DESC", ("g",), _SAME),
    "a union of tables": (
        f"{_SEX} UNION ALL SELECT race_concept_id, count(DISTINCT person_id) FROM person GROUP BY race_concept_id",
        ("g", "count_of"),
        f"""SELECT g, 'n', n FROM ({_SEX}) a
        UNION ALL SELECT race_concept_id, 'count_1', count(DISTINCT person_id) FROM person GROUP BY race_concept_id""",
    ),
    "counts as values": (
        """SELECT 'all' AS set, (SELECT count(*) FROM person) AS everybody,
        (SELECT count(DISTINCT person_id) FROM death) AS dead""",
        ("set", "count_of"),
        """SELECT 'all', 'everybody', count(*) FROM person
        UNION ALL SELECT 'all', 'dead', count(DISTINCT person_id) FROM death""",
    ),
    "side by side": (
        """SELECT a.n AS everybody, b.n AS dead FROM (SELECT count(*) AS n FROM person) a,
        (SELECT count(DISTINCT person_id) AS n FROM death) b""",
        ("count_of",),
        "SELECT 'everybody', count(*) FROM person UNION ALL SELECT 'dead', count(DISTINCT person_id) FROM death",
    ),
    "of one name": (
        "SELECT (SELECT count(*) FROM person), (SELECT count(DISTINCT person_id) FROM death)",
        ("count_of",),
        "SELECT 'count', count(*) FROM person UNION ALL SELECT 'count_2', count(DISTINCT person_id) FROM death",
    ),
    "rollup": (
        "SELECT gender_concept_id AS g, race_concept_id AS r, count(*) AS n FROM person GROUP BY ROLLUP (1, 2)",
        ("g", "r", "count_of"),
        """SELECT gender_concept_id, race_concept_id, 'n by g, r', count(*) FROM person GROUP BY 1, 2
        UNION ALL SELECT gender_concept_id, NULL, 'n by g', count(*) FROM person GROUP BY 1
        UNION ALL SELECT NULL, NULL, 'n of all', count(*) FROM person""",
    ),
    "truth as a key": (
        """SELECT d.person_id IS NOT NULL AS dead, count(DISTINCT p.person_id) FROM person p
        LEFT JOIN death d ON d.person_id = p.person_id GROUP BY 1""",
        ("dead",),
        _SAME,
    ),
}


@pytest.mark.parametrize("name", _CELLS)
async def test_counts_in_several_selects_are_the_servers_own(name: str, reader: asyncpg.Connection) -> None:
    counted, keys, expected = _CELLS[name]
    verdict = judge(counted)
    assert isinstance(verdict, Tabulation), verdict
    assert verdict.keys == keys
    cells: dict[tuple[object, ...], set[int]] = {}
    for *key, person in await reader.fetch(verdict.sql):
        cells.setdefault(tuple(key), set()).add(person)
    rows = await reader.fetch(expected.format(counted))
    assert {key: len(persons) for key, persons in cells.items()} == {tuple(row)[:-1]: row[-1] for row in rows}


async def test_what_lateral_takes_is_what_the_server_takes(reader: asyncpg.Connection) -> None:
    near = """SELECT i.accession_id, b.n FROM image_occurrence i CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM visit_occurrence v
        WHERE v.person_id = i.person_id AND v.visit_start_date < i.image_occurrence_date) b"""
    joined = """SELECT i.accession_id, count(v.visit_occurrence_id) AS n FROM image_occurrence i
        LEFT JOIN visit_occurrence v ON v.person_id = i.person_id AND v.visit_start_date < i.image_occurrence_date
        GROUP BY i.accession_id, i.image_occurrence_id"""
    verdict = judge(near)
    assert isinstance(verdict, Frame), verdict
    rows = await reader.fetch(verdict.sql)
    assert sorted(map(tuple, rows)) == sorted(map(tuple, await reader.fetch(joined)))
    assert len({row["n"] for row in rows}) > 1


@pytest.mark.parametrize(
    "key",
    [
        "date_trunc('year', i.image_occurrence_date + INTERVAL '99 years') + INTERVAL '99 years'",
        f"'{'x' * 2_000}' || p.gender_concept_id",
        "CASE WHEN p.year_of_birth < 1950 THEN DATE '9999-12-31' ELSE '1900-01-01' END",
    ],
)
async def test_labels_are_short_texts_whatever_they_are_made_of(key: str, reader: asyncpg.Connection) -> None:
    verdict = judge(
        f"SELECT {key} AS k, count(*) FROM person p JOIN image_occurrence i ON i.person_id = p.person_id GROUP BY 1"
    )
    assert isinstance(verdict, Tabulation), verdict
    labels = {row["k"] for row in await reader.fetch(verdict.sql)}
    assert labels
    assert all(isinstance(label, str) and len(label) <= 200 for label in labels)


_UNNAMED = (
    *(
        "1",
        "'a'",
        "1 + 1",
        "-1",
        "NULL",
        "true AND true",
        "1 IS NULL",
        "true IS TRUE",
        "1 IN (1)",
        "1 = ANY (ARRAY[1])",
    ),
    *(
        "year_of_birth",
        "p.year_of_birth",
        "year_of_birth::int8",
        "(year_of_birth + 1)::text",
        "'1'::int",
        "DATE '2020-01-01'",
    ),
    *(
        "CASE WHEN true THEN 1 END",
        "CASE WHEN true THEN 1 ELSE p.year_of_birth END",
        "CASE WHEN true THEN 1 ELSE 2::int END",
    ),
    *(
        "(CASE WHEN true THEN 1 END)::int",
        "CAST(coalesce(1, 2) AS int)",
        "coalesce(1, 2)",
        "greatest(1, 2)",
        "least(1, 2)",
    ),
    *("nullif(1, 2)", "NULLIF(1, 2)::int", "EXISTS (SELECT 1)", "NOT EXISTS (SELECT 1)", "1 IN (SELECT 1)"),
    *(
        "(SELECT 1)",
        "(SELECT 1 AS person_id)",
        "(SELECT max(concept_id) FROM concept)",
        "(VALUES (1))",
        "(SELECT 1)::text",
    ),
    *(
        "(SELECT 1 AS a UNION SELECT 1 AS b)",
        "(SELECT (SELECT 1 AS deep))",
        "CASE WHEN true THEN 1 ELSE (SELECT 2) END",
    ),
    *(
        "current_date",
        "current_timestamp",
        "localtimestamp",
        "now()",
        "extract(year FROM now())",
        "trim('a')",
        "count(*)",
    ),
    *("substring('abc' from 1 for 2)", "concat('a')", "max(1)::int", "INTERVAL '1 day'", "(1, 2) IN ((1, 2))"),
)


@pytest.mark.parametrize("expression", _UNNAMED)
async def test_an_unnamed_column_has_the_name_that_the_server_gives(
    expression: str, reader: asyncpg.Connection
) -> None:
    grouped = "count" in expression or "max(1)" in expression
    text = f"SELECT {expression} FROM person p {'GROUP BY p.person_id' if grouped else ''}"
    served = (await reader.prepare(text)).get_attributes()[0].name
    parsed = postgast.parse(text).stmts[0].stmt.select_stmt
    assert default_name(parsed.target_list[0].res_target.val) == served
