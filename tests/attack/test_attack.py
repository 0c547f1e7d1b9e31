"""The attacker, cut down to what a test may take: hospitals are drawn by seed, so the figures never change."""

import pytest

from schemas.sql.judge import judge
from schemas.sql.refusal import Refused
from tests.attack.trial import accuracy

COIN = 0.5
AIM = 0.55
OPEN = ("exact", "floor")


@pytest.mark.parametrize("mode", OPEN)
@pytest.mark.parametrize("strategy", ["pair", "complement", "padded regression"])
def test_exact_counts_and_a_floor_alone_give_every_target_away(strategy: str, mode: str) -> None:
    assert accuracy(strategy, mode, range(4 if strategy == "padded regression" else 40)).share > 0.99


def test_rounding_falls_to_a_thousand_padded_questions() -> None:
    assert accuracy("padded regression", "floor, rounding", range(6)).share > 0.9


@pytest.mark.parametrize("strategy", ["pair", "complement"])
def test_the_guard_leaves_a_plain_difference_no_better_than_a_coin(strategy: str) -> None:
    assert accuracy(strategy, "… and guard", range(40)).share <= AIM


@pytest.mark.parametrize(
    ("strategy", "hospitals"),
    [("pair", 40), ("complement", 40), ("padded regression", 10), ("floor", 4)],
)
def test_the_default_leaves_the_attacker_hardly_more_than_a_coin(strategy: str, hospitals: int) -> None:
    found = accuracy(strategy, "default", range(hospitals))
    assert found.share - found.error <= AIM
    assert found.share < 0.7


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) >= 51",
        "SELECT gender_concept_id, count(*) FROM person GROUP BY 1 LIMIT 1",
        "SELECT gender_concept_id, count(*) FROM person GROUP BY 1 ORDER BY count(*) OFFSET 1",
        "SELECT person_id FROM person WHERE person_id = 4711",
        "SELECT person_id, count(*) FROM person GROUP BY person_id",
        "SELECT person_id FROM person ORDER BY year_of_birth LIMIT 51",
    ],
)
def test_tricks_with_having_and_limit_change_nothing_of_what_the_release_is_given(sql: str) -> None:
    """They are refused, or applied to released figures only: no set depends on them."""
    verdict = judge(sql)
    assert isinstance(verdict, Refused) or not {"HAVING", "LIMIT", "OFFSET"} & set(verdict.sql.upper().split())
