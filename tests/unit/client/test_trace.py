from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bus.speaker import Heard
from client.ops.causes import as_record, related, tree, walk
from client.ops.tail import Filter
from client.ops.trace import line, summary
from schemas.envelope import Envelope
from schemas.project import CreateProject, ProjectActivated, ProjectCommandRejected, ProjectCreated
from schemas.trust import TrustAnnounced

CREATE = CreateProject(project_id="p1", name="Prostate", actor="ann")
CREATED = ProjectCreated(project_id="p1", name="Prostate", description="", dicom_to_nifti=True, owner="ann")
ACTIVATED = ProjectActivated(project_id="p1")
REJECTED = ProjectCommandRejected(
    command_id="c1", command_type=CREATE.type, subject="p1", code="already_exists", reason="Choose another id [sic]."
)


def test_an_effect_stands_below_its_cause_with_the_time_between(record_of):
    command = record_of(CREATE, "c1")
    created = record_of(CREATED, "e1", cause=command, after_s=0.012)
    rejected = record_of(REJECTED, "e2", cause=command, after_s=0.020)
    steps = list(walk(tree([rejected, created, command])))
    assert [(step.depth, step.after_s, step.node.heard) for step in steps] == [
        (0, None, command),
        (1, 0.012, created),
        (1, 0.020, rejected),
    ]


def test_a_chain_of_only_children_does_not_run_off_the_page(record_of):
    chain = [record_of(CREATE, "n0")]
    for number in range(1, 3000):
        chain.append(record_of(ACTIVATED, f"n{number}", cause=chain[-1], after_s=number))
    steps = list(walk(tree(chain)))
    assert [step.node.heard for step in steps] == chain
    assert max(step.depth for step in steps) == 1


def test_a_record_delivered_twice_is_one_node_and_a_dead_letter_hangs_on_its_original(record_of):
    command = record_of(CREATE, "c1")
    again = record_of(CREATE, "c1", offset=7)
    dead = record_of(CREATE, "c1", topic="dlq.project", message=None, fault="wrong_key", put_aside_by="project")
    (root,) = tree([dead, again, command])
    assert root.heard == command
    assert root.put_aside == [dead]
    (step,) = walk([root])
    assert "put aside by project: wrong_key" in line(step)


def test_what_was_sent_again_is_told_at_its_original_and_not_a_message_of_its_own(record_of):
    command = record_of(CREATE, "c1", offset=5)
    again = record_of(CREATE, "c1", topic="redrive.project", offset=0, redriven_by="ada")
    (root,) = tree([again, command])
    assert root.heard == command
    (step,) = walk([root])
    assert "redriven by ada" in line(step)


def test_a_record_without_envelope_is_found_by_its_key_and_joined_with_its_dead_letter(record_of):
    garbage = record_of(CREATE, envelope=None, message=None, fault="malformed", topic="project.commands", offset=4)
    dead = record_of(
        CREATE,
        envelope=None,
        message=None,
        fault="malformed",
        topic="dlq.project",
        origin="project.commands/0/4",
        put_aside_by="project",
    )
    (root,) = tree(related([dead, garbage], "p1"))
    assert (root.heard, root.put_aside) == (garbage, [dead])


def test_an_id_brings_its_whole_correlation_and_nothing_else(record_of):
    command = record_of(CREATE, "c1")
    created = record_of(CREATED, "e1", cause=command)
    other = record_of(CreateProject(project_id="p2", name="Other", actor="ann"), "c2")
    for id_ in ("c1", "e1", "p1"):
        assert related([command, created, other], id_) == [command, created]
    assert related([command, created, other], "unknown") == []


def test_a_refusal_is_red_and_its_reason_is_not_read_as_markup(record_of):
    (step,) = walk(tree([record_of(REJECTED, "e2")]))
    assert "[red]" in line(step)
    assert r"Choose another id \[sic]." in line(step)


def test_tail_filters_by_type_key_and_trust(record_of):
    announced = record_of(
        TrustAnnounced(trust_id="amber", approvers=(), small_number_threshold=10, isolation="bwrap", software={})
    )
    assert Filter("announced", "amber", "amber").passes(announced)
    assert not Filter(trust="birch").passes(announced)
    assert not Filter(type_="created").passes(announced)
    assert not Filter(key="birch").passes(announced)
    assert not Filter(until=announced.at).passes(announced)


def test_a_record_for_scripts_says_where_it_lies_and_why_it_exists(record_of):
    command = record_of(CREATE, "c1")
    as_json = as_record(record_of(CREATED, "e1", cause=command, offset=3))
    assert (as_json["topic"], as_json["offset"], as_json["causationid"]) == ("project.events", 3, "c1")
    assert as_json["data"]["owner"] == "ann"


@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=12))
def test_every_record_is_printed_exactly_once_whatever_the_causes_say(causes):
    records = [_record(number, cause) for number, cause in enumerate(causes)]
    printed = [step.node.heard.envelope.id for step in walk(tree(records))]
    assert sorted(printed) == sorted(record.envelope.id for record in records)


def _record(number: int, cause: int | None) -> Heard:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    causation = None if cause is None else f"n{cause}"
    envelope = Envelope(f"n{number}", "t", "/s", "k", at, "c", causation, "00-0-0-01")
    return Heard("project.events", 0, number, at, "k", envelope, None)


def test_the_end_says_how_much_there_was_and_where_the_time_went(record_of):
    command = record_of(CREATE, "c1")
    created = record_of(CREATED, "e1", cause=command, after_s=0.5)
    far = record_of(ACTIVATED, "e2", cause=created, after_s=2.0, topic="trust.amber.events")
    assert summary(list(walk(tree([command, created, far])))) == (
        "3 messages, 1 trusts, 2.000 s; the longest gap, 1.500 s, before project.activated.v1"
    )
    assert summary(list(walk(tree([command])))) == "1 messages, 0 trusts, 0.000 s"
