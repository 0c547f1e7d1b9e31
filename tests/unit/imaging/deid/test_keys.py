import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from trust_node.imaging.deid import DeidKeys

UIDS = st.from_regex(r"1\.2(\.[1-9][0-9]{0,8}){1,6}", fullmatch=True)
SECRETS = st.binary(min_size=32, max_size=64)


@given(SECRETS, UIDS)
def test_a_uid_always_becomes_the_same_valid_uid(secret: bytes, uid: str) -> None:
    mapped = DeidKeys(secret).uid(uid)
    assert mapped == DeidKeys(secret).uid(uid)
    assert UID(mapped).is_valid
    assert mapped.startswith("2.25.")
    assert len(mapped) <= 64


@given(SECRETS, UIDS, UIDS)
def test_two_uids_become_two(secret: bytes, one: str, other: str) -> None:
    keys = DeidKeys(secret)
    assert (keys.uid(one) == keys.uid(other)) == (one == other)


def test_another_trust_gives_other_pseudonyms() -> None:
    ours, theirs = DeidKeys(b"a" * 32), DeidKeys(b"b" * 32)
    assert ours.uid("1.2.3") != theirs.uid("1.2.3")
    assert ours.subject("P1") != theirs.subject("P1")
    assert ours.study("1.2.3") != theirs.study("1.2.3")


def test_a_pseudonym_says_what_it_names_and_one_purpose_tells_nothing_of_another(keys: DeidKeys) -> None:
    names = [keys.subject("7"), keys.study("7"), keys.request("7")]
    assert [name[0] for name in names] == ["P", "S", "A"]
    assert {len(name) for name in names} == {17}
    assert len({name[1:] for name in names}) == 3


def test_a_short_secret_is_refused_and_none_is_shown(keys: DeidKeys) -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        DeidKeys(b"short")
    assert "secret" not in repr(keys)
