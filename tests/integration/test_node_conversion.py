"""`trustflow node conversion`: what a person at the trust has converted, on the node's database and a real archive."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

import trust_node
from bus.database import migrate, open_pool
from infra.parts.xnat import ADMIN
from infra.parts.xnat import Xnat as XnatPart
from tests.conftest import Database
from tests.integration.test_archive_client import study
from trust_node import store
from trust_node.commands import app
from trust_node.imaging.xnat import Xnat
from trust_node.imaging.xnat.sending import Destination, send_study
from trust_node.imaging.xnat.subscriptions import NAME

pytestmark = pytest.mark.integration

PROJECT, IMAGE = "p1", "xnat/dcm2niix:latest"


@pytest.fixture(scope="module")
def dsn(postgres: Database) -> str:
    return postgres.dsn(postgres.fresh_database("conversion").rpartition("/")[2])


@pytest.fixture
def env(dsn: str, xnat: XnatPart, tmp_path: Path) -> Path:
    """A node's variables; its project has a whole study in the archive, and one that lacks a slice."""
    for name in ("trust-key", "kafka-password"):
        (tmp_path / name).write_text("k" * 40)
    (tmp_path / "xnat-password").write_text(xnat.password)
    (tmp_path / "policy.toml").write_text('approvers = ["bob"]\n')
    told = {
        "TRUST_ID": "amber", "TRUST_KEY_FILE": tmp_path / "trust-key", "SIGNING_KEY_FILE": tmp_path / "key.pem",
        "POLICY_FILE": tmp_path / "policy.toml", "DATA_DIRECTORY": tmp_path, "WAREHOUSE_URL": dsn, "DATABASE_URL": dsn,
        "PACS_HOST": "127.0.0.1", "PACS_PORT": 1, "PACS_TITLE": "PACS", "RECEIVER_PORT": 2, "RECEIVER_TITLE": "NODE",
        "XNAT_URL": xnat.url, "XNAT_USER": ADMIN, "XNAT_PASSWORD_FILE": tmp_path / "xnat-password",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1", "KAFKA_PASSWORD_FILE": tmp_path / "kafka-password", "HTTP_PORT": 3,
    }  # fmt: skip
    file = tmp_path / "node.env"
    file.write_text("".join(f"TRUSTFLOW_{name}={value}\n" for name, value in told.items()))
    asyncio.run(imported(dsn, xnat, tmp_path))
    return file


async def imported(dsn: str, xnat: XnatPart, folder: Path) -> None:
    async with Xnat(xnat.url, ADMIN, xnat.password) as archive:
        project = await archive.ensure_project(f"hub-{folder.name}", "Conversion")
        await send_study(archive, Destination(project, "P1", "S1"), study(folder / "bad", gap=True), folder)
        await send_study(archive, Destination(project, "P2", "S2"), study(folder / "good"), folder)
    pool = await open_pool(dsn)
    await migrate(pool, Path(trust_node.__file__).parent / "migrations")
    async with pool.acquire() as connection:
        await store.save_project(connection, PROJECT, "Knees", dicom_to_nifti=False)
        await store.set_xnat_project(connection, PROJECT, project)
    await pool.close()


def run(env: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--env", str(env), "conversion", *words])


def test_what_is_missing_is_converted_and_what_fails_is_named(env: Path) -> None:
    first = run(env, "missing", PROJECT)
    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines() == ["12 of 12 slices are converted", "S1: spacing_irregular"]
    assert run(env, "missing", PROJECT).stdout == first.stdout


def test_a_project_that_is_not_here_is_refused_with_the_remedy(env: Path) -> None:
    refused = run(env, "missing", "nobody")
    assert refused.exit_code == 2
    assert "name one that has images" in refused.stderr


def test_an_archive_that_is_away_is_one_sentence(env: Path) -> None:
    env.write_text(env.read_text().replace("XNAT_URL=http://127.0.0.1:", "XNAT_URL=http://127.0.0.1:1/"))
    refused = run(env, "missing", PROJECT)
    assert refused.exit_code == 2
    assert "look at the archive" in refused.stderr.replace("\n", " ")


def test_only_an_approver_lets_xnat_convert_and_the_account_says_so(env: Path, dsn: str, xnat: XnatPart) -> None:
    words = ("by-xnat", PROJECT, "--image", IMAGE, "--reason", "their own pipeline")
    assert run(env, *words, "--as", "mallory").exit_code == 2
    for switch, active in (("--on", True), ("--off", False)):
        done = run(env, *words, "--as", "bob", switch)
        assert done.exit_code == 0, done.output
        assert asyncio.run(subscribed(dsn, xnat)) == (
            [active],
            "conversion.by_xnat" if active else "conversion.not_by_xnat",
        )


async def subscribed(dsn: str, xnat: XnatPart) -> tuple[list[bool], str]:
    """Whether the project's subscriptions are active, and the latest entry of the trust's account."""
    connection = await asyncpg.connect(dsn)
    project = await connection.fetchval("select xnat_project from project where project_id = $1", PROJECT)
    entered = await connection.fetchval("select action from audit order by seq desc limit 1")
    await connection.close()
    async with Xnat(xnat.url, ADMIN, xnat.password) as archive:
        every = await archive.wire.document(f"/xapi/projects/{project}/events/subscriptions")
    return [each["active"] for each in every if each["name"] == NAME], entered
