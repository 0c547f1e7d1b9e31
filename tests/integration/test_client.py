"""The SDK and the command against a real broker and the real project service in a process of its own."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import Result
from typer.testing import CliRunner

from bus.login import Login
from bus.speaker import CommandRejected, NoAnswer, Speaker, Unreachable
from bus.uow import new_id
from client.cli import app
from client.sdk import Trustflow, bundle_bytes
from client.settings import FederationSettings
from infra.parts.part import free_port
from schemas.cohort import SubmitQuery
from schemas.project import CreateProject
from schemas.topics import acls, all_topics, principals

pytestmark = pytest.mark.integration

TRUSTS = ("amber", "birch")


@dataclass(frozen=True, slots=True)
class Federation:
    settings: FederationSettings
    env_file: Path
    credentials: dict[str, str]


@pytest.fixture(scope="module")
def federation(kafka: Any, postgres: Any, nginx: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """The broker with every topic and rule, and two services; what `make up` would write, written."""
    kafka.provision_blocking(all_topics(TRUSTS), acls(TRUSTS), principals(TRUSTS))
    folder = tmp_path_factory.mktemp("client")
    (folder / "objects").write_text(nginx.secret)
    objects = {"TRUSTFLOW_OBJECTS_URL": nginx.url, "TRUSTFLOW_OBJECTS_SECRET_FILE": str(folder / "objects")}
    file = folder / "env"
    file.write_text(
        f"export TRUSTFLOW_KAFKA_BOOTSTRAP={kafka.bootstrap}\n"
        f"export TRUSTFLOW_CLIENT_PASSWORD_FILE={kafka.password_file('client')}\n"
        f"export TRUSTFLOW_OPERATOR_PASSWORD_FILE={kafka.password_file('operator')}\n"
    )
    with ExitStack() as services:
        for name in ("project", "training_coordinator"):
            services.enter_context(_service(name, kafka, postgres.fresh_database(name), objects))
        yield Federation(FederationSettings(_env_file=file), file, kafka.credentials("client"))


@contextmanager
def _service(name: str, kafka: Any, database: str, objects: dict[str, str]) -> Iterator[None]:
    port = free_port()
    environment = {
        "TRUSTFLOW_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TRUSTFLOW_KAFKA_PASSWORD_FILE": str(kafka.password_file(name)),
        "TRUSTFLOW_DATABASE_URL": database,
        "TRUSTFLOW_HTTP_PORT": str(port),
        "TRUSTFLOW_TRUST_KEYS": str(kafka.trust_keys),
    }
    process = subprocess.Popen([sys.executable, "-m", f"services.{name}"], env=os.environ | environment | objects)
    try:
        _until_healthy(process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _until_healthy(service: "subprocess.Popen[bytes]", port: int) -> None:
    give_up = monotonic() + 60
    while monotonic() < give_up and service.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            sleep(0.1)
    raise RuntimeError(f"{service.args!r} did not become healthy")


@pytest.fixture
def trustflow(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TRUSTFLOW_ENV", str(federation.env_file))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return call


def _json_lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_project_is_created_edited_and_shown_by_the_command(trustflow: Any) -> None:
    created = trustflow("project", "create", "Prostate MR", "--as", "ann", "--json")
    assert created.exit_code == 0, created.output
    (line,) = _json_lines(created)
    project_id = line["project_id"]
    assert trustflow("project", "edit", project_id, "--name", "Prostate", "--no-nifti", "--as", "ann").exit_code == 0
    assert trustflow("project", "add-member", project_id, "bea", "--as", "ann").exit_code == 0
    (shown,) = _json_lines(trustflow("project", "show", project_id, "--json"))
    assert shown["name"] == "Prostate"
    assert shown["dicom_to_nifti"] is False
    assert shown["members"] == ["ann", "bea"]
    assert project_id in {view["project_id"] for view in _json_lines(trustflow("project", "list", "--json"))}


def test_a_rejected_staging_names_code_and_reason_and_exits_with_3(trustflow: Any) -> None:
    project_id = new_id()
    trustflow("project", "create", "Prostate MR", "--id", project_id, "--as", "ann")
    staged = trustflow("project", "stage", project_id, "--query", "none", "--trust", "amber", "--as", "ann")
    assert staged.exit_code == 3
    assert "unknown_query" in staged.stderr
    assert staged.stdout == ""


def test_a_trace_shows_the_command_what_it_caused_and_the_rejection(trustflow: Any) -> None:
    project_id = new_id()
    trustflow("project", "create", "Prostate MR", "--id", project_id, "--as", "ann")
    trustflow("project", "approve", project_id, "--trust", "amber", "--as", "ann")
    steps = _json_lines(trustflow("ops", "trace", project_id, "--json"))
    assert [step["type"] for step in steps] == [
        "trustflow.project.create.v1",
        "trustflow.project.created.v1",
        "trustflow.project.command_accepted.v1",
        "trustflow.project.approve.v1",
        "trustflow.project.command_rejected.v1",
    ]
    assert [step["depth"] for step in steps] == [0, 1, 1, 0, 1]
    told = trustflow("ops", "trace", steps[-1]["correlationid"])
    assert "not_staged" in told.stdout
    assert "project.created" not in told.stdout


async def test_a_trace_shows_dead_letters_with_their_code(federation: Federation) -> None:
    project_id = new_id()
    producer = AIOKafkaProducer(**federation.credentials)
    await producer.start()
    await producer.send_and_wait("project.commands", b"garbage", key=project_id.encode())
    await producer.stop()
    settings = federation.settings
    async with Speaker(settings.operator_login()) as ears:
        async for heard in ears.events(["dlq.project"]):
            if heard.key == project_id:
                break
    traced = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("trustflow"),
        "ops",
        "trace",
        project_id,
        env=os.environ | {"TRUSTFLOW_ENV": str(federation.env_file)},
        stdout=subprocess.PIPE,
    )
    stdout, _ = await traced.communicate()
    assert traced.returncode == 0
    assert "put aside by project: malformed" in stdout.decode()


def test_tail_filters_by_type_and_key(trustflow: Any) -> None:
    project_id = new_id()
    trustflow("project", "create", "Prostate MR", "--id", project_id, "--as", "ann")
    lines = _json_lines(trustflow("ops", "tail", "--type", "created", "--key", project_id, "--json"))
    assert [line["data"]["name"] for line in lines] == ["Prostate MR"]


def test_code_is_uploaded_through_the_object_lane_and_scanned(trustflow: Any, tmp_path: Path) -> None:
    project_id, model_id = new_id(), new_id()
    trustflow("project", "create", "Prostate MR", "--id", project_id, "--as", "ann")
    created = trustflow("model", "create", project_id, "Sequence type", "--id", model_id, "--as", "ann")
    assert created.exit_code == 0, created.stderr
    (tmp_path / "trainer.py").write_text("import torch\n")
    uploaded = trustflow("model", "upload", model_id, str(tmp_path), "--as", "ann", "--json")
    assert uploaded.exit_code == 0, uploaded.stderr
    (submitted,) = _json_lines(uploaded)
    assert submitted["entry_point"] == "trainer.py"
    assert submitted["sha256"] == hashlib.sha256(bundle_bytes(tmp_path)).hexdigest()
    (tmp_path / "trainer.py").write_text("import requests\n")
    refused = trustflow("model", "upload", model_id, str(tmp_path), "--as", "ann")
    assert refused.exit_code == 3, refused.stderr
    assert "network" in refused.stderr
    (shown,) = _json_lines(trustflow("model", "show", model_id, "--json"))
    assert [bundle.get("refused") is None for bundle in shown["bundles"].values()] == [True, False]


def test_what_nobody_knows_of_exits_with_2_and_names_the_remedy(trustflow: Any) -> None:
    missing = trustflow("project", "show", "no-such-project")
    assert missing.exit_code == 2
    assert "trustflow project list" in missing.stderr


async def test_the_sdk_answers_many_users_over_one_connection(federation: Federation) -> None:
    async with Trustflow.connect(federation.settings, actor="ann") as hub:
        project_id = await hub.create_project("Prostate MR")
        with pytest.raises(CommandRejected) as refused:
            await hub.acting_as("eve").add_member(project_id, "eve")
        assert refused.value.code == "not_a_member"
        await hub.add_member(project_id, "bea")
        assert (await hub.project(project_id)).members == ("ann", "bea")


async def test_a_service_that_does_not_run_is_named_after_the_timeout(federation: Federation) -> None:
    command = SubmitQuery(actor="ann", query_id=new_id(), project_id=new_id(), sql="select 1", trusts=("amber",))
    async with Trustflow.connect(federation.settings, actor="ann") as hub:
        with pytest.raises(NoAnswer, match="cohort service"):
            await hub._voice.ask(command, timeout_s=0.5)


async def test_a_command_may_be_asked_again_under_its_id(federation: Federation) -> None:
    command = CreateProject(actor="ann", project_id=new_id(), name="Knees")
    async with Speaker(federation.settings.client_login()) as speaker:
        with pytest.raises(NoAnswer) as unheard:
            await speaker.ask(command, timeout_s=0)
        accepted = await speaker.ask(command, command_id=unheard.value.command_id)
        assert accepted.command_id == unheard.value.command_id


async def test_the_client_cannot_read_what_is_the_operators(federation: Federation) -> None:
    settings = federation.settings
    async with Speaker(settings.client_login()) as speaker:
        with pytest.raises(Unreachable, match="operator"):
            await anext(speaker.events(["trust.amber.events"], until="now"))


async def test_a_wrong_password_or_no_broker_is_unreachable(federation: Federation) -> None:
    command = CreateProject(actor="ann", project_id=new_id(), name="x")
    for bootstrap in (federation.settings.kafka_bootstrap, f"127.0.0.1:{free_port()}"):
        async with Speaker(Login(bootstrap, "client", "wrong")) as speaker:
            with pytest.raises(Unreachable, match="make up"):
                await speaker.ask(command)


async def test_events_since_a_bookmark_or_a_time_leave_out_what_was_before(federation: Federation) -> None:
    settings = federation.settings
    async with Trustflow.connect(settings, actor="ann") as hub:
        await hub.create_project("before", project_id=new_id())
        async with Speaker(settings.client_login()) as speaker:
            bookmark = await speaker.bookmark(["project.events"])
            after = await hub.create_project("after")
            heard = [one async for one in speaker.events(["project.events"], since=bookmark, until="now")]
            assert {one.key for one in heard} == {after}
            start = min(one.at for one in heard)
            later = [one async for one in speaker.events(["project.events"], since=start, until="now")]
            assert {one.offset for one in heard} <= {one.offset for one in later}
            assert all(one.at >= start for one in later)
