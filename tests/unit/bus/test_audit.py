"""An account is what it was, or it is told where it is not: pure chains, tampered with in every way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.proof.audit import BEFORE_THE_FIRST, Account, Entry, Head, Linked, entry_hash, linked
from bus.proof.verifying import verify

START = datetime(2026, 11, 21, 9, tzinfo=UTC)


def entries(number: int) -> list[Entry]:
    return [
        Entry(
            START + timedelta(seconds=place),
            "ada",
            "trustflow.project.create.v1",
            f"p{place}",
            "accepted",
            f"e{place}",
            "ab" * 32,
        )
        for place in range(number)
    ]


def account(chain: list[Linked]) -> Account:
    end = chain[-1] if chain else None
    return Account("project", chain, end.seq if end else 0, end.hash if end else BEFORE_THE_FIRST, [])


CHAIN = list(linked(entries(9), 0, BEFORE_THE_FIRST))
SEALED = Head("project", 6, CHAIN[5].hash, "audit.events/0/3")
WITNESS = replace(SEALED, heard_at="audit_witness of cohort", is_witness=True)


def codes(touched: Account, *heads: Head) -> list[tuple[int, str]]:
    return [(finding.seq, finding.code) for finding in verify(touched, heads)]


def rewritten(chain: list[Linked], at: int) -> list[Linked]:
    """Change one entry and chain everything behind it anew, as who owns the database could."""
    told = [replace(link.entry, actor="eve") if link.seq == at else link.entry for link in chain]
    return list(linked(told, 0, BEFORE_THE_FIRST))


def test_an_untouched_account_has_no_findings() -> None:
    assert codes(account(CHAIN), SEALED, WITNESS, Head("cohort", 2, "00" * 32, "audit.events/0/1")) == []
    assert codes(account([])) == []


@given(st.integers(0, 8), st.sampled_from(["actor", "action", "subject", "outcome", "message_id", "digest", "at"]))
def test_a_changed_field_of_any_entry_is_found_at_its_place(place: int, field: str) -> None:
    link = CHAIN[place]
    other = START - timedelta(days=1) if field == "at" else "eve"
    changed = [*CHAIN[:place], replace(link, entry=replace(link.entry, **{field: other})), *CHAIN[place + 1 :]]
    assert codes(account(changed)) == [(place + 1, "changed")]


@given(st.integers(1, 8))
def test_an_entry_changed_with_its_own_hash_breaks_the_next(at: int) -> None:
    link = CHAIN[at - 1]
    entry = replace(link.entry, actor="eve")
    forged = replace(link, entry=entry, hash=entry_hash(link.seq, entry, link.previous))
    assert codes(account([*CHAIN[: at - 1], forged, *CHAIN[at:]])) == [(at + 1, "broken")]


@given(st.integers(1, 8))
def test_a_deleted_entry_is_found_at_its_place(at: int) -> None:
    assert codes(account([link for link in CHAIN if link.seq != at])) == [(at, "deleted")]


@given(st.integers(0, 8))
def test_a_cut_tail_is_found_by_the_accounts_own_head(left: int) -> None:
    assert codes(replace(account(CHAIN), entries=CHAIN[:left])) == [(left + 1, "truncated")]


@pytest.mark.parametrize("head", [SEALED, WITNESS])
def test_a_cut_tail_with_its_head_set_back_is_found_by_a_head_that_others_know(head: Head) -> None:
    assert codes(account(CHAIN[:4]), head) == [(5, "truncated")]
    assert codes(account([]), head) == [(1, "truncated")]


@pytest.mark.parametrize("head", [SEALED, WITNESS])
def test_a_chain_rewritten_in_itself_is_found_by_a_head_that_others_know(head: Head) -> None:
    forged = account(rewritten(CHAIN, 2))
    assert codes(forged) == []
    assert codes(forged, head) == [(6, "rewritten")]


def test_what_was_rewritten_after_the_last_head_is_not_found() -> None:
    """Said honestly: up to a minute of entries stands on its own."""
    assert codes(account(rewritten(CHAIN, 8)), SEALED) == []


def test_a_witness_who_rewrote_his_own_memory_is_named() -> None:
    forged = replace(WITNESS, hash="00" * 32)
    (finding,) = verify(account(CHAIN), [SEALED, forged])
    assert (finding.code, "audit_witness of cohort" in finding.sentence) == ("witness", True)


def test_two_heads_of_one_place_are_found() -> None:
    other = replace(SEALED, hash=rewritten(CHAIN, 2)[5].hash, heard_at="audit.events/0/9")
    assert (6, "two_heads") in codes(account(CHAIN), SEALED, other)


@given(st.lists(st.integers(1, 4), max_size=4))
def test_a_chain_is_the_same_whatever_batches_it_was_written_in(batches: list[int]) -> None:
    told, chain = entries(sum(batches)), []
    for size in batches:
        seq, previous = (chain[-1].seq, chain[-1].hash) if chain else (0, BEFORE_THE_FIRST)
        chain += linked(told[seq : seq + size], seq, previous)
    assert chain == list(linked(told, 0, BEFORE_THE_FIRST))
