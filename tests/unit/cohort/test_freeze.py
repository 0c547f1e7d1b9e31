import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.cohort.freeze import Member, freeze, refreeze

KEY = b"k" * 32
_MEMBERS = st.frozensets(st.builds(Member, st.integers(1, 50), st.text("AB01", min_size=1, max_size=4)))


@given(_MEMBERS, _MEMBERS)
def test_a_frozen_cohort_can_shrink_but_never_grow(then: frozenset[Member], now: frozenset[Member]) -> None:
    old = freeze(then, KEY)
    new = refreeze(old, now, KEY)
    assert set(new.members) == set(old.members) & now


@given(_MEMBERS)
def test_the_digest_depends_on_the_members_and_not_on_their_order(members: frozenset[Member]) -> None:
    ordered = sorted(members)
    assert freeze(ordered, KEY) == freeze(reversed(ordered), KEY)


def test_the_digest_changes_with_the_trusts_key_and_with_each_accession() -> None:
    members = [Member(1, "A1"), Member(2, "A2")]
    digests = {freeze(members, KEY).digest, freeze(members, b"x" * 32).digest, freeze(members[:1], KEY).digest}
    assert len(digests) == 3


def test_accessions_cannot_run_together_in_the_digest() -> None:
    assert (
        freeze([Member(1, "AB"), Member(2, "C")], KEY).digest != freeze([Member(1, "A"), Member(2, "BC")], KEY).digest
    )


@pytest.mark.parametrize("accession", ["", "*", "A?1", "A\\B", " A1"])
def test_an_accession_the_pacs_would_match_widely_is_left_out(accession: str) -> None:
    cohort = freeze([Member(1, accession), Member(2, "A2")], KEY)
    assert cohort.members == (Member(2, "A2"),)
    assert cohort.left_out == 1


def test_an_accession_of_two_persons_is_left_out_for_both() -> None:
    cohort = freeze([Member(1, "A1"), Member(2, "A1"), Member(3, "A3")], KEY)
    assert cohort.members == (Member(3, "A3"),)
    assert cohort.left_out == 1


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        freeze([], b"short")
