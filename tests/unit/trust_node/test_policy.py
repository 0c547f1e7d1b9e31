"""A slip of the pen in the policy file stops the node and names the key: no rule is lost in silence."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from trust_node.policy import Policy

GOOD = 'approvers = ["bob"]\n'


def read(folder: Path, text: str) -> Policy:
    file = folder / "policy.toml"
    file.write_text(text)
    return Policy.read(file)


def test_what_a_trust_does_not_say_is_careful(tmp_path: Path) -> None:
    policy = read(tmp_path, GOOD)
    assert (policy.small_number_threshold, policy.rounding, policy.isolation) == (10, 5, "bubblewrap")
    assert (policy.release.threshold, policy.release.rounding) == (10, 5)
    assert policy.limits.memory == policy.memory_bytes


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("approvers", "[]"),
        ("approvers", '["Dr Bob"]'),
        ("small_number_threshold", "1"),
        ("small_number_threshold", '"ten"'),
        ("rounding", "0"),
        ("isolation", '"docker"'),
        ("task_seconds", "0"),
        ("memory_bytes", "-1"),
        ("parallel_studies", "33"),
        ("opt_out_minutes", "0.5"),
        ("opt_out_minutes", "61"),
        ("small_number_treshold", "20"),
    ],
)
def test_a_bad_key_is_named(tmp_path: Path, key: str, value: str) -> None:
    text = f"{key} = {value}\n"
    with pytest.raises(ValidationError, match=key):
        read(tmp_path, text if key == "approvers" else GOOD + text)


def test_a_policy_without_approvers_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="approvers"):
        read(tmp_path, "rounding = 5\n")


def test_a_policy_can_not_be_changed_at_run_time(tmp_path: Path) -> None:
    policy = read(tmp_path, GOOD)
    with pytest.raises(ValidationError):
        policy.small_number_threshold = 2
