"""`trustflow node import`: what a person at the trust sees and does, on the node's own database."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

import trust_node
from bus.database import migrate, open_pool
from bus.proof.signing import Author, Signer
from bus.uow import UnitOfWork, flush
from tests.conftest import Database
from tests.unit.imaging.importing import ACCESSION, KEYS
from trust_node import store as node
from trust_node.commands import app
from trust_node.imaging import store
from trust_node.imaging.asks import Asks
from trust_node.imaging.codes import FailureCode

pytestmark = pytest.mark.integration

PROJECT, STUDY = "p1", KEYS.request(ACCESSION)


@pytest.fixture(scope="module")
def dsn(postgres: Database) -> str:
    return postgres.dsn(postgres.fresh_database("desk").rpartition("/")[2])


@pytest.fixture
def env(dsn: str, tmp_path: Path) -> Path:
    """A node's variables; one study of one project has failed there."""
    for name in ("trust-key", "xnat-password", "kafka-password"):
        (tmp_path / name).write_text("k" * 40)
    (tmp_path / "policy.toml").write_text('approvers = ["bob"]\n')
    told = {
        "TRUST_ID": "amber", "TRUST_KEY_FILE": tmp_path / "trust-key", "SIGNING_KEY_FILE": tmp_path / "key.pem",
        "POLICY_FILE": tmp_path / "policy.toml", "DATA_DIRECTORY": tmp_path, "WAREHOUSE_URL": dsn, "DATABASE_URL": dsn,
        "PACS_HOST": "127.0.0.1", "PACS_PORT": 1, "PACS_TITLE": "PACS", "RECEIVER_PORT": 2, "RECEIVER_TITLE": "NODE",
        "XNAT_URL": "http://127.0.0.1:1", "XNAT_USER": "node", "XNAT_PASSWORD_FILE": tmp_path / "xnat-password",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1", "KAFKA_PASSWORD_FILE": tmp_path / "kafka-password", "HTTP_PORT": 3,
    }  # fmt: skip
    file = tmp_path / "node.env"
    file.write_text("".join(f"TRUSTFLOW_{name}={value}\n" for name, value in told.items()))
    asyncio.run(failed_study(dsn, tmp_path))
    return file


async def failed_study(dsn: str, folder: Path) -> None:
    pool = await open_pool(dsn)
    await migrate(pool, Path(trust_node.__file__).parent / "migrations")
    async with pool.acquire() as connection, connection.transaction():
        for table in ("study", "study_step", "project", "cohort", "job", "outbox"):
            await connection.execute(f"delete from {table}")
        uow = UnitOfWork(connection, Author("trust-amber", Signer.open(folder / "key.pem")), datetime.now(UTC))
        await node.save_project(connection, PROJECT, "Knees", dicom_to_nifti=True)
        await connection.execute("insert into cohort values ($1, 'q1', 'digest', now())", PROJECT)
        await connection.execute("insert into member values ($1, 1, $2)", PROJECT, ACCESSION)
        await Asks("amber").plan(uow, PROJECT, KEYS)
        await flush(uow)
        uow.jobs.clear()
        uow.outbox.clear()
        uow.entries.clear()
        study = await store.study(connection, PROJECT, STUDY)
        assert study is not None
        await Asks("amber").fail(uow, study, FailureCode.NOT_IN_PACS)
        await flush(uow)
    await pool.close()


def run(env: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--env", str(env), "import", *words])


def value(dsn: str, sql: str) -> Any:
    async def asked() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(asked())


def test_the_status_names_what_needs_somebody_and_no_accession_number(env: Path) -> None:
    shown = run(env, "status", PROJECT)
    assert shown.exit_code == 0, shown.output
    assert "failed 1" in shown.stdout
    assert "not_in_pacs" in shown.stdout
    assert json.loads(run(env, "status", PROJECT, "--json").stdout)["state"] == "failed"
    assert ACCESSION not in shown.stdout


def test_a_study_is_explained_with_what_to_do(env: Path) -> None:
    shown = run(env, "explain", PROJECT, STUDY).stdout
    assert "the PACS knows no study with its accession number" in shown
    assert "What to do:" in shown


def test_what_is_not_known_is_refused_with_the_remedy(env: Path) -> None:
    refused = run(env, "explain", PROJECT, "A" + "0" * 16)
    assert refused.exit_code == 2
    assert "trustflow node import status" in refused.stderr


def test_a_retry_makes_a_job(env: Path, dsn: str) -> None:
    assert "1 studies are tried again" in run(env, "retry", PROJECT).stdout
    assert value(dsn, "select count(*) from job where lane = 'imaging'") == 1
    assert not value(dsn, "select settled from study")


def test_only_an_approver_skips_and_it_enters_the_account(env: Path, dsn: str) -> None:
    told = ("skip", PROJECT, STUDY, "--reason", "withdrew consent")
    assert run(env, *told, "--as", "eve").exit_code == 2
    assert value(dsn, "select rest from study") is None
    assert run(env, *told, "--as", "bob").exit_code == 0
    assert value(dsn, "select rest from study") == "skipped"
    assert value(dsn, "select count(*) from audit where action = 'import.skip'") == 1


def test_a_choice_of_several_is_kept_for_the_project(env: Path, dsn: str) -> None:
    told = ("choose", PROJECT, "--several", "newest", "--as", "bob", "--reason", "the later one is complete")
    assert run(env, *told).exit_code == 0
    assert value(dsn, "select several from project") == "newest"
    assert run(env, "choose", "p2", *told[2:]).exit_code == 2


@pytest.mark.parametrize(("word", "type_"), [("reconcile", "compare_import"), ("cover", "cover_enrichment")])
def test_what_concerns_the_project_becomes_a_job(env: Path, dsn: str, word: str, type_: str) -> None:
    assert run(env, word, PROJECT).exit_code == 0
    assert type_ in value(dsn, "select type from job where lane = 'imports'")


def test_a_reimport_is_from_scratch(env: Path, dsn: str) -> None:
    assert run(env, "reimport", PROJECT, STUDY).exit_code == 0
    assert value(dsn, "select fresh from study")
