"""Before any of it is sent: whatever is wrong with a record, reading it says so and raises nothing."""

from collections import Counter
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.decode import Decoded, StoredRecord, Unreadable, read
from tests.chaos.mutations import TAG, mutated
from tests.integration.records import Raw, header

SEED = 7
ENOUGH = 3_000


def judged(record: Raw) -> Decoded | Unreadable:
    return read(StoredRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_no_mutant_makes_the_reader_raise(seed: int) -> None:
    for record in mutated(seed, 200):
        assert isinstance(judged(record), Decoded | Unreadable)


def test_mutants_are_wrong_in_every_way_that_has_a_code() -> None:
    found = Counter(
        verdict.code for record in mutated(SEED, ENOUGH) if isinstance(verdict := judged(record), Unreadable)
    )
    assert {"malformed", "unknown_type", "newer_version", "invalid_payload", "wrong_key", "wrong_topic"} <= found.keys()
    assert "too_large" in found


def test_the_same_seed_makes_the_same_mutants_and_each_has_its_tag() -> None:
    assert list(mutated(SEED, 100)) == list(mutated(SEED, 100))
    assert [header(record, TAG) for record in islice(mutated(SEED, ENOUGH), 5)] == ["0", "1", "2", "3", "4"]
