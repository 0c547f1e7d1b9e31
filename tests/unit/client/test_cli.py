import json
import re

import pytest
from typer.testing import CliRunner

from bus.objects import Interrupted
from bus.speaker import CommandRejected, NoAnswer, Unreachable
from client.cli import app
from client.sdk import bundle_bytes
from client.terminal import EXIT_CODES
from schemas.bundle import inspect
from schemas.cohort import CohortFrozen, QuerySubmitted, QueryTotalled, SubmitQuery, TrustCounted
from schemas.imaging import ImportFinished, ImportStarted, RetryStudies, Tally
from schemas.project import AddMember, CreateProject, ProjectApproved, ProjectCreated, StageProject
from schemas.training import ApproveBundle, BundleSubmitted, ModelCreated, RunFailed, RunPlan, RunStarted, StartRun

DIGEST = "a" * 64
CREATED = ProjectCreated(project_id="p1", name="Prostate [MR]", description="", dicom_to_nifti=True, owner="ann")
STARTED = RunStarted(
    run_id="r1",
    model_id="m1",
    project_id="p1",
    bundle_sha256=DIGEST,
    trusts=("amber",),
    evaluate_at=(),
    plan=RunPlan(rounds=2, quorum=1),
)
COMMANDS = [
    ("project", "create"), ("project", "edit"), ("project", "add-member"), ("project", "stage"), ("project", "approve"),
    ("project", "decline"), ("project", "show"), ("project", "list"), ("cohort", "query"), ("cohort", "show"),
    ("cohort", "repeat"), ("cohort", "cancel"), ("cohort", "list"), ("cohort", "compare"), ("cohort", "diff"),
    ("cohort", "plot"), ("cohort", "concepts"),
    ("import", "status"), ("import", "watch"), ("import", "retry"), ("model", "create"), ("model", "upload"),
    ("model", "approve"), ("model", "decline"), ("model", "show"), ("run", "start"), ("run", "watch"), ("run", "stop"),
    ("run", "show"), ("run", "download"), ("ops", "tail"), ("ops", "trace"), ("ops", "lag"), ("ops", "replay"),
    ("ops", "dlq", "list"), ("ops", "dlq", "show"), ("ops", "dlq", "redrive"), ("ops", "dlq", "drop"),
    ("ops", "topics", "plan"), ("ops", "topics", "apply"), ("ops", "acl", "plan"), ("ops", "acl", "apply"),
    ("ops", "objects", "sweep"), ("ops", "rebuild"), ("ops", "views", "list"), ("ops", "views", "drop"),
]  # fmt: skip


def lines(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_json_and_an_example_in_its_help(command):
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "--json" in shown.stdout
    assert f"trustflow {' '.join(command)}" in shown.stdout.split("Options:")[0].split("\n\n", 1)[1]


def test_the_help_alone_teaches_the_path_in_order():
    told = CliRunner().invoke(app, ["--help"]).stdout
    path = re.findall(r"^ +(\d+)  trustflow (\w+ [\w-]+)", told, re.MULTILINE)
    assert [int(number) for number, _ in path] == list(range(1, 12))
    assert {tuple(command.split()) for _, command in path} <= set(COMMANDS)
    assert " ".join(EXIT_CODES.split()) in " ".join(told.split())


def test_a_project_is_created_in_the_users_name(trustflow, voice):
    (line,) = lines(trustflow("project", "create", "Prostate", "--no-nifti", "--as", "ann", "--json"))
    (command,) = voice.asked
    assert command == CreateProject(
        actor="ann", project_id=line["project_id"], name="Prostate", description="", dicom_to_nifti=False
    )


def test_the_user_may_come_from_the_environment(trustflow, voice, monkeypatch):
    assert trustflow("project", "add-member", "p1", "bea").exit_code == 2
    monkeypatch.setenv("TRUSTFLOW_USER", "ann")
    assert trustflow("project", "add-member", "p1", "bea").exit_code == 0
    assert voice.asked == [AddMember(actor="ann", project_id="p1", member="bea")]


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (CommandRejected("not_draft", "Only a draft can be changed."), 3, "rejected: not_draft: Only a draft"),
        (NoAnswer("the project service gave no answer"), 4, "no answer: the project service"),
        (Unreachable("`make up` starts it"), 5, "`make up` starts it"),
        (Interrupted("on the way to the object store"), 5, "object store"),
    ],
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_what_goes_wrong_has_a_sentence_on_stderr_and_a_code_of_its_own(
    trustflow, voice, *, error, code, sentence, as_json
):
    def answer(_):
        raise error

    voice.answer = answer
    result = trustflow("project", "stage", "p1", "--query", "q1", "--trust", "amber", "--as", "ann", *as_json)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert result.stdout == ""


def test_a_bug_is_not_dressed_up_as_anything_else(trustflow, voice):
    def answer(_):
        raise ZeroDivisionError

    voice.answer = answer
    result = trustflow("run", "stop", "r1", "--as", "ann")
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_wrong_value_names_the_field_and_asks_nothing(trustflow, voice):
    result = trustflow("project", "approve", "not an id", "--trust", "amber", "--as", "ada")
    assert result.exit_code == 2
    assert "project_id" in result.stderr
    assert voice.asked == []


def test_staging_names_every_trust(trustflow, voice):
    trustflow("project", "stage", "p1", "--query", "q1", "--trust", "amber", "--trust", "birch", "--as", "ann")
    assert voice.asked == [StageProject(actor="ann", project_id="p1", query_id="q1", trusts=("amber", "birch"))]


def test_a_name_is_not_read_as_markup(trustflow, voice):
    voice.said = [CREATED]
    assert "Prostate [MR]" in trustflow("project", "show", "p1").stdout
    assert "Prostate [MR]" in trustflow("project", "list").stdout


@pytest.mark.parametrize("what", ["project", "cohort", "model", "run"])
def test_what_no_event_tells_of_is_wrong_usage_with_a_remedy(trustflow, what):
    result = trustflow(what, "show", "unknown")
    assert result.exit_code == 2
    assert "trustflow" in result.stderr


def test_a_project_of_which_only_a_cohort_was_told_is_not_known_yet(trustflow, voice):
    voice.said = [CohortFrozen(project_id="p1", query_id="q1", trust_id="amber", digest=DIGEST)]
    assert trustflow("project", "show", "p1").exit_code == 2
    voice.said.append(CREATED)
    assert trustflow("project", "show", "p1").exit_code == 0


@pytest.fixture
def counted(voice, monkeypatch):
    monkeypatch.setattr("client.cohort.asking.new_id", lambda: "q1")
    ids = {"query_id": "q1", "project_id": "p1"}
    voice.said = [
        QuerySubmitted(**ids, sql_sha256=DIGEST, trusts=("amber", "birch")),
        TrustCounted(**ids, trust_id="amber", outcome="counted", persons=40),
        TrustCounted(**ids, trust_id="birch", outcome="refused", code="table_not_allowed", reason="No table secrets."),
        QueryTotalled(**ids, persons=40, asked=2, counted=1),
    ]


@pytest.mark.usefixtures("counted")
def test_a_query_is_read_from_a_file_and_counted_trust_by_trust(trustflow, voice, tmp_path):
    (tmp_path / "cohort.sql").write_text("select accession_id from omop.image_occurrence")
    asked = (
        "cohort",
        "query",
        "p1",
        "--trust",
        "amber",
        "--trust",
        "birch",
        "--sql",
        f"@{tmp_path}/cohort.sql",
        "--as",
        "ann",
    )
    told = lines(trustflow(*asked, "--json"))
    assert [line["type"].split(".")[2] for line in told] == [
        "query_submitted", "trust_counted", "trust_counted", "query_totalled",
    ]  # fmt: skip
    assert isinstance(voice.asked[0], SubmitQuery)
    assert voice.asked[0].sql == "select accession_id from omop.image_occurrence"
    shown = trustflow(*asked).stdout
    assert "2 of 2 trusts answered, total about 40 persons at the 1 that released a number" in shown
    assert "table_not_allowed" in shown
    assert "project stage p1 --query q1" in shown


def test_a_query_file_that_is_missing_is_wrong_usage(trustflow):
    result = trustflow("cohort", "query", "p1", "--trust", "amber", "--sql", "@nowhere.sql", "--as", "ann")
    assert result.exit_code == 2
    assert "nowhere.sql" in result.stderr


def test_an_import_is_watched_to_its_end_and_retried(trustflow, voice):
    ids = {"project_id": "p1", "trust_id": "amber"}
    approved = ProjectApproved(
        **ids, name="x", query_id="q1", dicom_to_nifti=True, approved_by="ada", request_digest=DIGEST
    )
    voice.said = [approved, ImportStarted(**ids, studies=3), ImportFinished(**ids, tally=Tally(asked=3, failed=1))]
    assert lines(trustflow("import", "watch", "p1", "--json"))[-1]["trusts"]["amber"]["finished"] is True
    assert "amber" in trustflow("import", "status", "p1").stdout
    trustflow("import", "retry", "p1", "--trust", "amber", "--as", "ann")
    assert voice.asked == [RetryStudies(actor="ann", project_id="p1", trust_id="amber")]


def test_the_newest_code_is_approved_unless_a_digest_is_given(trustflow, voice):
    ids = {"model_id": "m1", "project_id": "p1"}
    voice.said = [ModelCreated(**ids, name="Sequence type", owner="ann")]
    assert "model upload m1" in trustflow("model", "approve", "m1", "--trust", "amber", "--as", "ada").stderr
    voice.said.append(BundleSubmitted(**ids, sha256=DIGEST, files=1, entry_point="trainer.py", submitted_by="ann"))
    assert trustflow("model", "approve", "m1", "--trust", "amber", "--as", "ada").exit_code == 0
    assert voice.asked == [ApproveBundle(actor="ada", model_id="m1", trust_id="amber", sha256=DIGEST)]


def test_a_runs_plan_comes_from_the_options(trustflow, voice):
    trustflow("run", "start", "m1", "--trust", "amber", "--trust", "birch", "--rounds", "3", "--metric", "loss",
              "--lower-is-better", "--config", "rate=0.1", "--config", "kind=cnn", "--as", "ann")  # fmt: skip
    (command,) = voice.asked
    assert isinstance(command, StartRun)
    assert command.plan == RunPlan(
        rounds=3, quorum=2, metric="loss", higher_is_better=False, config={"rate": 0.1, "kind": "cnn"}
    )


def test_a_run_that_failed_is_told_with_exit_code_6(trustflow, voice):
    voice.said = [STARTED, RunFailed(run_id="r1", code="no_quorum", reason="Too few trusts.")]
    watched = trustflow("run", "watch", "r1", "--json")
    assert watched.exit_code == 6
    assert [json.loads(line)["type"].split(".")[2] for line in watched.stdout.splitlines()] == [
        "run_started",
        "run_failed",
    ]
    assert "no_quorum" in watched.stderr
    assert trustflow("run", "download", "r1", "--as", "ann").exit_code == 6


def test_a_folder_is_packed_without_caches_and_always_to_the_same_bytes(tmp_path):
    for name in ("trainer.py", "__pycache__/trainer.pyc", ".git/config", "nets/small.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    content = bundle_bytes(tmp_path)
    assert inspect(content).files == ("nets/small.py", "trainer.py")
    assert bundle_bytes(tmp_path) == content
    (tmp_path.parent / "code.zip").write_bytes(content)
    assert bundle_bytes(tmp_path.parent / "code.zip") == content
