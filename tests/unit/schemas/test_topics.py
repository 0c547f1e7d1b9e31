"""Who may read and write what; the live broker is held to the same in tests/integration/test_acls.py."""

import re

import pytest

from schemas.topics import (
    CLIENT,
    HUB_TOPICS,
    OPERATOR,
    PROJECTORS,
    REDRIVE_PREFIX,
    REPLAY_PREFIX,
    SERVICES,
    SPEAKERS,
    acls,
    all_topics,
    dead_letter_topic,
    redrive_topic,
    subscription,
    trust_principal,
)

TRUSTS = ("amber", "birch")
RULES = acls(TRUSTS)
NAMES = {topic.name for topic in all_topics(TRUSTS)}


def allowed(principal: str, operation: str) -> set[str]:
    return {
        rule.name
        for rule in RULES
        if (rule.principal, rule.operation, rule.resource) == (principal, operation, "TOPIC")
    }


def test_a_trust_reads_its_own_commands_and_nothing_else() -> None:
    assert allowed("trust-amber", "READ") == {"trust.amber.commands", "redrive.trust-amber", "audit.events"}


def test_a_trust_writes_its_own_events_updates_and_dead_letters_and_nothing_else() -> None:
    assert allowed("trust-amber", "WRITE") == {
        "trust.amber.events",
        "trust.amber.updates",
        "dlq.trust-amber",
    }


def test_the_client_writes_commands_only() -> None:
    assert allowed(CLIENT, "WRITE") == {f"{name}.commands" for name in ("project", "cohort", "imaging", "training")}


def test_the_client_sees_nothing_of_a_trusts_own_topics() -> None:
    assert not [name for name in allowed(CLIENT, "READ") if name.startswith("trust.")]


def test_the_operator_reads_everything_and_writes_no_message_of_anybody_else() -> None:
    redriven = {name for name in NAMES if name.startswith(REDRIVE_PREFIX)}
    assert allowed(OPERATOR, "READ") == NAMES | {REPLAY_PREFIX}
    assert allowed(OPERATOR, "WRITE") == {"operator.events", REPLAY_PREFIX} | redriven


def test_every_topic_of_events_has_one_writer_but_for_the_audit() -> None:
    for topic in all_topics(TRUSTS):
        if not topic.name.endswith(".commands") and topic.name != "audit.events":
            assert len(topic.writers) == 1, topic.name


@pytest.mark.parametrize("principal", [*SERVICES, "trust-amber"])
def test_a_consumer_may_dead_letter_all_that_it_reads(principal: str) -> None:
    assert dead_letter_topic(principal) in NAMES & allowed(principal, "WRITE")


@pytest.mark.parametrize("principal", [*SERVICES, "trust-amber"])
def test_a_group_of_consumers_is_named_after_its_principal(principal: str) -> None:
    groups = [rule for rule in RULES if rule.resource == "GROUP" and rule.principal == principal]
    assert [(rule.name, rule.operation, rule.prefixed) for rule in groups] == [(principal, "READ", False)]


def test_a_trust_whose_name_begins_like_anothers_gets_nothing_of_it() -> None:
    opened = {rule.name for rule in acls(("amber", "amber-2")) if rule.principal == "trust-amber"}
    assert not [name for name in opened if "amber-2" in name]
    prefixes = {rule.name for rule in RULES if rule.prefixed}
    assert prefixes == {REPLAY_PREFIX, *(f"{speaker}." for speaker in SPEAKERS)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_subscribes_to_exactly_what_it_may_read(service: str) -> None:
    pattern = re.compile(subscription(service))
    assert {name for name in NAMES if pattern.match(name)} == allowed(service, "READ")


def test_a_trust_subscribes_to_exactly_what_it_may_read_whatever_its_name() -> None:
    trusts = ("germany", "any", "germany-any")
    names = {topic.name for topic in all_topics(trusts)}
    for trust in trusts:
        pattern = re.compile(subscription(trust_principal(trust)))
        mine = {rule.name for rule in acls(trusts) if rule.principal == f"trust-{trust}" and rule.operation == "READ"}
        assert {name for name in names if pattern.match(name)} == mine - {trust_principal(trust)}


@pytest.mark.parametrize("projector", PROJECTORS)
def test_a_projector_is_rebuilt_so_nothing_is_redriven_to_it(projector: str) -> None:
    assert projector in SERVICES
    assert redrive_topic(projector) not in NAMES
    told = {topic.name for topic in HUB_TOPICS if topic.name.endswith(".events")} - {"operator.events"}
    assert allowed(projector, "READ") == told
    assert allowed(projector, "WRITE") == {dead_letter_topic(projector), "audit.events"}


def test_a_trust_that_joins_later_is_in_the_subscription() -> None:
    assert re.match(subscription("project"), "trust.cedar-9.events")


def test_topic_names_are_unique() -> None:
    assert len(NAMES) == len(all_topics(TRUSTS))
    assert all("." in topic.name for topic in HUB_TOPICS)
