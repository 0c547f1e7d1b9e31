"""Who may name itself as the source of what lies on a topic, and how much of a broker each may take."""

import pytest

from schemas.topics import HUB_TOPICS, SERVICES, all_topics, may_say, principals, quotas, speaking_trust, writers

TRUSTS = ("amber", "birch-2")
LIVE = [topic for topic in all_topics(TRUSTS) if not topic.name.startswith(("dlq.", "redrive."))]


@pytest.mark.parametrize("topic", LIVE, ids=lambda topic: topic.name)
def test_exactly_the_writers_of_a_topic_may_name_themselves_on_it(topic) -> None:
    everybody = {*principals(TRUSTS), "admin", "", "nobody"}
    assert {name for name in everybody if may_say(f"/{name}", topic.name)} == set(topic.writers)
    assert writers(topic.name) == topic.writers


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("/backend", True),
        ("/backend/ward-3/portal", True),
        ("/client", True),
        ("/client/laptop", False),
        ("/backends/x", False),
        ("/project", False),
        ("backend", False),
        ("backend/x", False),
        ("//backend", False),
        ("/", False),
        ("", False),
    ],
)
def test_only_a_ui_backend_adds_a_path_of_its_own(source: str, allowed: bool) -> None:
    assert may_say(source, "project.commands") is allowed


def test_a_topic_of_nobodys_has_no_rule() -> None:
    assert writers("replay.look") is None
    assert may_say("/anybody", "replay.look")


@pytest.mark.parametrize(
    ("topic", "trust"),
    [
        ("trust.amber.events", "amber"),
        ("trust.birch-2.updates", "birch-2"),
        ("trust.amber.commands", None),
        ("trust.amber.secrets", None),
        ("trust.amber.x.events", None),
        ("project.events", None),
    ],
)
def test_what_a_trust_alone_writes_must_be_signed_by_it(topic: str, trust: str | None) -> None:
    assert speaking_trust(topic) == trust


def test_every_principal_has_one_quota() -> None:
    named = [quota.principal for quota in quotas(TRUSTS)]
    assert sorted(named) == sorted(principals(TRUSTS))


def test_nobody_from_outside_may_take_as_much_as_a_service() -> None:
    by_name = {quota.principal: quota for quota in quotas(TRUSTS)}
    outside = [by_name[name] for name in ("trust-amber", "client", "backend")]
    for service in SERVICES:
        assert all(quota.producer_byte_rate < by_name[service].producer_byte_rate for quota in outside)
        assert all(quota.request_percentage < by_name[service].request_percentage for quota in outside)


def test_a_quota_lets_the_largest_record_pass_at_once() -> None:
    largest = max(topic.max_bytes for topic in HUB_TOPICS)
    assert all(quota.producer_byte_rate > largest for quota in quotas(TRUSTS))
