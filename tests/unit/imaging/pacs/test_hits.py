import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.pacs import InvalidAccessionError, Outcome, PacsError, StudyHit, Trouble, choose
from trust_node.imaging.pacs.hits import SeveralStudies, SeveralStudiesError, exact_accession, valid_uid
from trust_node.imaging.pacs.troubles import ADVICE

OLD, NEW = StudyHit("1.1", 1, "20190101", "120000"), StudyHit("1.2", 1, "20200101", "080000")
SAME_DAY = StudyHit("1.3", 1, "20200101", "090000")
UNDATED = StudyHit("1.4", 1)


@pytest.mark.parametrize("rule", SeveralStudies)
@pytest.mark.parametrize("hits", [[], [OLD]])
def test_one_or_none_needs_no_rule(rule: SeveralStudies, hits: list[StudyHit]) -> None:
    assert choose(hits, rule) == hits


def test_all_are_taken_in_their_order() -> None:
    assert choose([NEW, OLD], SeveralStudies.ALL) == [NEW, OLD]


@pytest.mark.parametrize("hits", [[OLD, NEW, SAME_DAY], [SAME_DAY, UNDATED, OLD]])
def test_the_newest_is_the_last_by_date_and_time(hits: list[StudyHit]) -> None:
    assert choose(hits, SeveralStudies.NEWEST) == [SAME_DAY]


@pytest.mark.parametrize(
    ("hits", "rule"),
    [([OLD, NEW], SeveralStudies.REFUSE), ([NEW, NEW], SeveralStudies.NEWEST), ([UNDATED] * 2, SeveralStudies.NEWEST)],
)
def test_where_no_rule_tells_which_none_is_taken(hits: list[StudyHit], rule: SeveralStudies) -> None:
    with pytest.raises(SeveralStudiesError) as refused:
        choose(hits, rule)
    assert refused.value.matches == 2


@given(st.text(max_size=20))
def test_an_accession_goes_through_as_it_is_or_not_at_all(text: str) -> None:
    try:
        assert exact_accession(text) == text
    except InvalidAccessionError:
        return
    assert 0 < len(text) <= 16
    assert not set(text) & set("*?\\\n\0")


@given(st.from_regex(r"[0-9]{1,5}(\.[0-9]{1,5}){0,9}", fullmatch=True))
def test_a_uid_goes_through(uid: str) -> None:
    assert valid_uid(uid) == uid


@pytest.mark.parametrize("uid", ["", ".", "1..2", "1.2\n", "../x", "1.2/series", "1" * 65, "1.٣", "1.2?x=y"])
def test_what_is_no_uid_is_not_shown(uid: str) -> None:
    with pytest.raises(PacsError) as refused:
        valid_uid(uid)
    assert refused.value.trouble is Trouble.UNREADABLE


def test_every_trouble_has_its_advice() -> None:
    assert set(ADVICE) == set(Trouble)


@pytest.mark.parametrize(
    ("outcome", "refused", "trouble"),
    [
        (Outcome(5, 0, 0, 0), False, None),
        (Outcome(4, 1, 0, 0xB000), False, None),
        (Outcome(0, 0, 5, 0xB000), False, None),
        (Outcome(0, 5, 0, 0xA702), True, Trouble.OUT_OF_RESOURCES),
        (Outcome(0, 0, 0, 0xA801), True, Trouble.DESTINATION_UNKNOWN),
    ],
)
def test_refused_is_what_brought_nothing(outcome: Outcome, refused: bool, trouble: Trouble | None) -> None:
    assert (outcome.refused, outcome.trouble) == (refused, trouble)
