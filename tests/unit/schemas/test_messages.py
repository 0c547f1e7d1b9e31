"""Rules that every message keeps."""

import re
from string import Formatter

import pytest
from pydantic import ValidationError

from infra.contract.language import message_types
from schemas.ids import Id
from schemas.message import REGISTRY, Accepted, Command, Message, Rejected
from schemas.project import CreateProject, ProjectCreated
from schemas.registry import message_class, newer_major_of_known
from schemas.topics import all_topics
from schemas.training import ModelEvent, TrainingCommandRejected, TrustEvaluated

CONTEXTS = "project|cohort|imaging|training|aggregation|trust|operator|audit"
NAME = re.compile(rf"trustflow\.(?P<context>{CONTEXTS})\.[a-z][a-z_]*\.v[1-9]\d*")
TYPES = {message.type: message for message in message_types()}
TOPICS = {topic.name for topic in all_topics(["amber"])}
each_type = pytest.mark.parametrize("message", TYPES.values(), ids=TYPES.keys())


@each_type
def test_its_type_says_context_name_and_major_version(message: type[Message]) -> None:
    assert NAME.fullmatch(message.type)
    assert REGISTRY[message.type] is message


@each_type
def test_its_key_and_its_topic_are_made_of_required_fields(message: type[Message]) -> None:
    named = {message.key_field} | {name for _, name, _, _ in Formatter().parse(message.topic_template) if name}
    assert all(message.model_fields[name].is_required() for name in named)


@each_type
def test_its_topic_exists(message: type[Message]) -> None:
    assert message.topic_template.format_map({"trust_id": "amber"}) in TOPICS


@each_type
def test_it_can_not_be_changed(message: type[Message]) -> None:
    assert message.model_config["frozen"]
    assert message.model_config["extra"] == "ignore"


@each_type
def test_commands_and_events_keep_apart(message: type[Message]) -> None:
    """Whoever sends to a hub's command topic is a person, and waits for an answer."""
    on_command_topic = message.topic_template.endswith(".commands") and not message.topic_template.startswith("trust.")
    assert issubclass(message, Command) == on_command_topic


@pytest.mark.parametrize("context", ["project", "cohort", "imaging", "training"])
@pytest.mark.parametrize("answer", [Accepted, Rejected])
def test_each_service_that_takes_commands_has_both_answers(context: str, answer: type[Message]) -> None:
    assert [
        message
        for message in message_types()
        if issubclass(message, answer) and message.topic_template == f"{context}.events"
    ]


def test_a_message_knows_its_topic_and_key() -> None:
    from schemas.trust import EndRun

    command = EndRun(trust_id="amber", run_id="r1")
    assert (command.topic, command.key) == ("trust.amber.commands", "r1")


def test_a_change_is_refused() -> None:
    created = ProjectCreated(project_id="p1", name="n", description="", dicom_to_nifti=True, owner="ada")
    with pytest.raises(ValidationError):
        created.name = "other"


@pytest.mark.parametrize("bad", ["", "a b", "../x", "é", "x" * 65, "a\n", "-a", "a/b"])
def test_an_id_is_plain(bad: str) -> None:
    with pytest.raises(ValidationError, match="project_id"):
        CreateProject(actor="ada", project_id=bad, name="n")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    site = '{"trust_id": "amber", "examples": 1, "metrics": {"loss": VALUE}}'.replace("VALUE", value)
    payload = f'{{"run_id": "r1", "site": {site}}}'
    with pytest.raises(ValidationError, match="finite"):
        TrustEvaluated.parse(payload.encode())


def test_absent_is_not_written_as_null() -> None:
    rejected = TrainingCommandRejected(command_id="c", command_type="t", subject="r1", code="no_images", reason="None.")
    assert b"null" not in rejected.to_bytes()


def test_an_abstract_message_has_no_type() -> None:
    assert ModelEvent not in REGISTRY.values()
    assert Id


def test_types_are_found_by_name() -> None:
    assert message_class("trustflow.project.create.v1") is CreateProject
    assert message_class("trustflow.project.create.v9") is None


@pytest.mark.parametrize(
    ("type_", "newer"),
    [
        ("trustflow.project.create.v2", True),
        ("trustflow.project.created.v17", True),
        ("trustflow.project.creat.v2", False),
        ("trustflow.project.create.v", False),
        ("trustflow.project.create.vx", False),
        (".v2", False),
        ("", False),
    ],
)
def test_only_a_known_name_with_an_unknown_version_is_newer(type_: str, newer: bool) -> None:
    assert newer_major_of_known(type_) is newer
