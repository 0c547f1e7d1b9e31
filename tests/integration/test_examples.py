"""The examples, run as a newcomer runs them: another process, the backend's password, nothing of ours imported."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.node import NODE, installed
from schemas.project import ProjectCommandAccepted, ProjectCreated
from schemas.topics import BACKEND
from schemas.training import RunStopped, TrustReady
from tests.conftest import Broker, Database
from tests.integration.hub import Voice, voice
from tests.integration.process import our_process

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = EXAMPLES / "python"
ENDS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The real project service, and what a shell of the backend's knows of it."""

    voice: Voice
    env: Mapping[str, str]

    async def run(self, *command: str | Path) -> list[str]:
        """Run an example to its end; return what it printed, line by line."""
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **self.env}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, errors = await asyncio.wait_for(process.communicate(), ENDS_WITHIN_S)
        assert process.returncode == 0, errors.decode()
        return out.decode().splitlines()


@pytest.fixture(scope="module")
async def stage(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("examples")
    env = {
        "TRUSTFLOW_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TRUSTFLOW_BACKEND_PASSWORD_FILE": str(kafka.password_file(BACKEND)),
        "TRUSTFLOW_BACKEND_KCAT_CONFIG": str(_kcat_config(kafka, folder)),
    }
    database = postgres.fresh_database("project")
    async with (
        our_process("services.project", "project", kafka, database, folder),
        voice(kafka) as speaking,
    ):
        yield Stage(speaking, env)


def _kcat_config(kafka: Broker, folder: Path) -> Path:
    """As `make up` writes it: Debian's kcat logs in with PLAIN."""
    file = folder / "kcat-backend.conf"
    file.write_text(
        f"bootstrap.servers={kafka.bootstrap}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\n"
        f"sasl.username={BACKEND}\nsasl.password={kafka.passwords[BACKEND]}\n"
    )
    return file


@pytest.fixture(scope="module")
def node_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside its packages, as after `npm ci` in its folder."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(installed(EXAMPLES / "node") / "node_modules")
    program = folder / "create_project.js"
    program.write_text((EXAMPLES / "node" / "create_project.js").read_text())
    return program


def types(lines: list[str]) -> list[str]:
    return [line.split(" ", 1)[0] for line in lines]


CREATED = [ProjectCreated.type, ProjectCommandAccepted.type, "accepted"]
AGAIN = [ProjectCommandAccepted.type, "accepted"]


class TestCreatingAProject:
    async def test_in_python(self, stage: Stage) -> None:
        command = (sys.executable, PYTHON / "create_project.py", "Knees", "c-python")
        assert types(await stage.run(*command)) == CREATED
        assert types(await stage.run(*command)) == AGAIN
        assert (await stage.voice.heard(ProjectCreated, project_id="p-c-python")).owner == "ada"

    async def test_in_node(self, stage: Stage, node_example: Path) -> None:
        command = (NODE, node_example, "Knees", "c-node")
        assert types(await stage.run(*command)) == CREATED
        assert types(await stage.run(*command)) == AGAIN
        assert (await stage.voice.heard(ProjectCreated, project_id="p-c-node")).name == "Knees"

    async def test_in_a_shell(self, stage: Stage) -> None:
        command = (EXAMPLES / "kcat" / "create_project.sh", "Knees", "c-kcat")
        (answer,) = await stage.run(*command)
        assert json.loads(answer)["command_type"] == "trustflow.project.create.v1"
        assert set(await stage.run(*command)) == {answer}

    async def test_one_may_go_on_where_another_stopped(self, stage: Stage, node_example: Path) -> None:
        """All say the same command: it may be sent again in another language."""
        await stage.run(NODE, node_example, "Knees", "c-both")
        lines = await stage.run(sys.executable, PYTHON / "create_project.py", "Knees", "c-both")
        assert types(lines) == AGAIN

    async def test_a_refusal_is_told(self, stage: Stage) -> None:
        lines = await stage.run(sys.executable, PYTHON / "create_project.py", "", "c-empty")
        assert lines[-1].startswith("rejected: invalid_payload: fields are missing or wrong: name")


async def test_following_a_run_goes_on_at_its_bookmark(stage: Stage, tmp_path: Path) -> None:
    run = {"run_id": "r-follow"}
    follow = (sys.executable, PYTHON / "follow.py", "training.events", "r-follow", tmp_path / "bookmark.json")
    ready = TrustReady(**run, trust_id="amber", images=3, labelled=3, isolation="none")
    await stage.voice.say(ready, RunStopped(**run, stopped_by="ada"))
    first = await stage.run(*follow, TrustReady.type)
    assert types(first) == [TrustReady.type]
    assert json.loads(first[0].split(" ", 1)[1])["trust_id"] == "amber"
    assert types(await stage.run(*follow, RunStopped.type)) == [RunStopped.type]
