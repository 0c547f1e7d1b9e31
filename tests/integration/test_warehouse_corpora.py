"""The database alone, with the judge switched off: how much of the hostile corpus it stops."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from schemas.sql.allowed import Kind
from schemas.sql.judge import Listing
from tests.corpora.reading import Sample, hostile
from tests.integration.omop_ground import CANARY, OmopGround
from trust_node.cohort.hardening.layout import others_of
from trust_node.cohort.store import Warehouse, WarehouseError
from trust_node.cohort.warehouse.wording import persons

pytestmark = pytest.mark.integration

LIMITS = {"statement_timeout": "300", "default_transaction_read_only": "on", "jit": "off"}
PAGE = Path(__file__).parents[2] / "docs" / "warehouse.md"
HEAD = "|---|---|---|---|---|\n"
END = "All good queries"
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
Figures = dict[str, tuple[int, int, int, int]]


class Role:
    """A session that asks whatever it is given, one statement at a time."""

    def __init__(self, dsn: str, **settings: str) -> None:
        self.dsn, self.settings = dsn, LIMITS | settings
        self.connection: asyncpg.Connection | None = None

    async def answer(self, sql: str) -> Any:
        """Return the first row, `()` if there is none; None if it is stopped."""
        if self.connection is None or self.connection.is_closed():
            self.connection = await asyncpg.connect(self.dsn, server_settings=self.settings)
        try:
            return await self.connection.fetchrow(sql) or ()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError):
            return None
        finally:
            if not self.connection.is_closed():
                await self.connection.execute("ROLLBACK; RESET ALL")


async def _asked(role: Role, sql: str) -> bool:
    """Whether it runs where the node would put it."""
    return await role.answer(persons(Listing(sql, (Kind.PERSON,)))) is not None


def _bare(sample: Sample) -> str:
    return sample.sql.replace("omop.", "")


@pytest.fixture(scope="module")
async def figures(omop_ground: OmopGround) -> Figures:
    """By class: queries, and how many ran as a plain reader, as the hardened one, and as the node asks."""
    samples = hostile()
    plain, hardened, asked = Counter[str](), Counter[str](), Counter[str]()
    await _let_do_everything(omop_ground)
    reader, broad = Role(omop_ground.dsn_reader), Role(omop_ground.dsn_broad, search_path="omop")
    for sample in samples:
        plain[sample.group] += await broad.answer(sample.sql) is not None
        answer = await reader.answer(_bare(sample))
        assert CANARY not in repr(answer)
        hardened[sample.group] += answer is not None
        asked[sample.group] += await _asked(reader, _bare(sample))
    count = Counter(sample.group for sample in samples)
    return {group: (count[group], plain[group], hardened[group], asked[group]) for group in sorted(count)}


async def _let_do_everything(ground: OmopGround) -> None:
    """Give the role that may read the CDM what PostgreSQL lets everybody do: a plain read-only role."""
    role = ground.dsn_broad.partition("//")[2].partition(":")[0]
    connection = await asyncpg.connect(ground.dsn_owner)
    await connection.execute(f"grant {others_of(ground.database)} to {role}")
    await connection.close()


def test_the_page_shows_what_the_database_alone_stops(figures: Figures) -> None:
    """With WRITE_FIGURES=1 in the environment the page is written anew."""
    measured = "".join(f"| `{group}` | {' | '.join(map(str, row))} |\n" for group, row in figures.items())
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    if os.environ.get("WRITE_FIGURES"):
        PAGE.write_text(f"{head}{HEAD}{measured}\n{rest.partition(END)[1]}{rest.partition(END)[2]}", encoding="utf-8")
    shown = {row[0]: tuple(map(int, row[1:])) for row in ROW.findall(PAGE.read_text(encoding="utf-8"))}
    assert shown.keys() == figures.keys(), measured
    for group, (count, _, hardened, asked) in figures.items():
        # What just ends in time on one machine is stopped on another.
        slack = count // 5
        assert shown[group][0] == count, measured
        assert hardened <= shown[group][2] + slack, measured
        assert asked <= shown[group][3] + slack, measured


def test_the_hardened_role_stops_what_a_plain_one_does_not(figures: Figures) -> None:
    plain, hardened, asked = (sum(row[place] for row in figures.values()) for place in (1, 2, 3))
    assert asked < hardened < plain
    assert figures["functions"][2] * 3 < figures["functions"][1]
    assert figures["writes"][3] == 0


WORST = (
    "WITH x AS (DELETE FROM person RETURNING person_id) SELECT person_id FROM x",
    "SELECT person_id FROM person FOR UPDATE",
    "SELECT person_id FROM person) AS x; DELETE FROM person; SELECT (1",
    "SELECT lo_import('/etc/passwd')::int",
    "SELECT length(pg_read_file('/etc/passwd'))",
    "SELECT oid::int FROM pg_catalog.pg_class",
    "SELECT length(person_source_value) FROM person",
    "SELECT length(note_text) FROM note",
    "SELECT person_id FROM omop.person",
)


async def test_what_matters_most_is_stopped_past_the_judge(omop_ground: OmopGround) -> None:
    warehouse = Warehouse(omop_ground.dsn_reader)
    for sql in WORST:
        with pytest.raises(WarehouseError):
            await warehouse.persons(Listing(sql, (Kind.PERSON,)))
    assert len(await warehouse.persons(Listing("SELECT person_id FROM person", (Kind.PERSON,)))) == 1130
