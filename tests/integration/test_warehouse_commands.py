"""`trustflow node warehouse`: harden, verify and check at the terminal, against real parts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.integration.warehouse_ground import Ground, cdm, warehouse_ground
from trust_node.checking.findings import Verdict
from trust_node.cohort.store import Warehouse
from trust_node.cohort.warehouse.checking import WarehouseCheck
from trust_node.commands import app
from trust_node.imaging.pacs.hits import StudyHit, exact_accession

pytestmark = pytest.mark.integration


class Site:
    """A trust's variables, its warehouse, and the commands."""

    def __init__(self, folder: Path, ground: Ground, **more: object) -> None:
        self.folder, self.ground, self.more = folder, ground, more

    def run(self, *words: str, admin: bool = True) -> tuple[int, list[dict[str, Any]], str]:
        env = self.folder / "node.env"
        env.write_text("\n".join(f"TRUSTFLOW_{name}={value}" for name, value in self._variables().items()))
        told = {"TRUSTFLOW_WAREHOUSE_ADMIN_URL": self.ground.dsn if admin else ""}
        ended = CliRunner().invoke(app, ["--env", str(env), "warehouse", *words], env=told)
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        return ended.exit_code, lines, ended.output

    def _variables(self) -> dict[str, object]:
        (self.folder / "policy.toml").write_text('approvers = ["amber-approver"]')
        files = ("KAFKA_PASSWORD_FILE", "TRUST_KEY_FILE", "SIGNING_KEY_FILE", "XNAT_PASSWORD_FILE")
        return {
            **dict.fromkeys(files, self.folder / "nothing"),
            "KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "HTTP_PORT": 1,
            "TRUST_ID": "amber", "POLICY_FILE": self.folder / "policy.toml", "DATA_DIRECTORY": self.folder,
            "WAREHOUSE_URL": self.ground.reader_dsn, "PACS_HOST": "127.0.0.1", "PACS_PORT": 1, "PACS_TITLE": "PACS",
            "RECEIVER_PORT": 1, "RECEIVER_TITLE": "TRUSTFLOW", "XNAT_URL": "http://127.0.0.1:1", "XNAT_USER": "x",
            **self.more,
        }  # fmt: skip


@pytest.fixture
def site(tmp_path: Path, postgres: Any) -> Site:
    return Site(tmp_path, asyncio.run(warehouse_ground(postgres, cdm())))


def test_plan_then_apply_then_verify(site: Site) -> None:
    code, planned, _ = site.run("harden", "--plan", "--json")
    assert (code, site.run("verify")[0]) == (0, 1)
    code, done, _ = site.run("harden", "--apply", "--json")
    assert code == 0
    assert done[: len(planned)] == planned
    assert all(result["passed"] for result in done[len(planned) :])
    code, _, shown = site.run("verify")
    assert code == 0
    assert "PostgreSQL" in shown
    assert site.run("harden", "--plan", "--json")[1] == []


def test_the_plan_says_why_and_whom_it_touches(site: Site) -> None:
    _, _, shown = site.run("harden", "--plan")
    assert "execute SQL that is given as text" in shown
    assert "nothing was changed" in shown
    assert "-- other roles of this database keep it" in shown


def test_without_an_administrator_nothing_is_done(site: Site) -> None:
    code, _, shown = site.run("harden", "--apply", admin=False)
    assert code == 2
    assert "TRUSTFLOW_WAREHOUSE_ADMIN_URL is not set" in " ".join(shown.split())


def test_check_names_what_is_missing_with_the_remedy(site: Site) -> None:
    code, found, shown = site.run("check", "--json")
    assert [finding["step"] for finding in found] == ["hardened"]
    assert code == 1
    site.run("harden", "--apply")
    code, found, shown = site.run("check", "--json", "--sample", "3")
    by_step = {finding["step"]: finding for finding in found}
    assert code == 1
    for step in ("vocabulary", "ancestors", "keys", "indexes"):
        assert by_step[step]["verdict"] == "failed"
        assert by_step[step]["remedy"]
    assert "finds nobody" in by_step["ancestors"]["cause"]
    assert by_step["warehouse in PACS"]["fault"] == "port_closed"
    assert "ACC" not in shown


class FakePacs:
    """Holds the accession numbers ACC1 to ACC30, and one that the warehouse has not."""

    held = frozenset(f"ACC{n}" for n in range(1, 31))

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return [StudyHit("1.2", 1)] if exact_accession(accession) in self.held else []

    async def accessions_on(self, day: str) -> list[str]:
        assert day == "20200504"
        return ["ACC1", "ACC2", "", "X1"]


async def test_both_ways_are_sampled_and_what_is_well_passes(postgres: Any) -> None:
    filled = (
        "insert into omop.concept select 8507, 'MALE', 'Gender', 'Gender', 'Gender', 'S', 'M', '1970-01-01',"
        " '2099-12-31', null;"
        "insert into omop.concept_ancestor values (8507, 8507, 0, 0);"
        "insert into omop.vocabulary values ('None', 'OMOP', 'x', 'v5.0 31-AUG-26', 0);"
        "update omop.image_occurrence set accession_id = 'A*' where image_occurrence_id = 40"
    )
    ground = await warehouse_ground(postgres, [*cdm(), filled])
    check = WarehouseCheck(await ground.hardened(), FakePacs(), 100)
    found = {finding.step: finding async for finding in check.findings()}
    assert found["vocabulary"].told == "1 concepts, v5.0 31-AUG-26"
    assert found["ancestors"].verdict is found["mapping"].verdict is found["cdm"].verdict is Verdict.PASSED
    assert found["accessions"].told == "40 images: 0 without an accession number, 1 with a wildcard in it"
    assert found["PACS in warehouse"].told == "2 of 3 accession numbers of the PACS are in the warehouse"
    assert found["warehouse in PACS"].verdict is Verdict.FAILED
    assert isinstance(check.warehouse, Warehouse)
