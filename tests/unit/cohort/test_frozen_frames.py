"""What a training frame's rows become: columns by study, without an accession number or a person."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus.errors import Rejection
from schemas.sql.judge import Frame, judge
from trust_node.cohort.freeze import Member, chosen
from trust_node.cohort.frozen.covariates import Covariates
from trust_node.cohort.frozen.frames import OWN_COLUMNS, covariates_of
from trust_node.training.view import Picture

KEY = b"k" * 32
SESSIONS = {"ACC1": ["S1"], "ACC2": ["S2", "S2b"]}


def frame(*names: str) -> Frame:
    """Return a frame of an accession number, a person and these covariates."""
    listed = "".join(f', year_of_birth AS "{name}"' for name in names)
    verdict = judge(
        f"SELECT i.accession_id, p.person_id{listed} FROM image_occurrence i JOIN person p USING (person_id)"
    )
    assert isinstance(verdict, Frame)
    return verdict


def test_rows_of_the_frozen_studies_become_columns_and_no_others_are_kept() -> None:
    rows = [("ACC1", 1, 1950), ("ACC2", 2, None), ("ACC9", 9, 1960)]
    told = covariates_of(frame("Born in"), rows, SESSIONS, KEY)
    assert told.columns == ("person_id", "Born in")
    assert {study: row["Born in"] for study, row in told.rows.items()} == {"S1": "1950", "S2": "", "S2b": ""}


def test_a_person_is_a_keyed_pseudonym_and_the_same_one_in_all_studies() -> None:
    rows = [("ACC1", 4711, 1950), ("ACC2", 4711, 1950)]
    told = covariates_of(frame("born"), rows, SESSIONS, KEY).rows
    other = covariates_of(frame("born"), rows, SESSIONS, b"x" * 32).rows
    assert told["S1"]["person_id"] == told["S2"]["person_id"] != other["S1"]["person_id"]
    assert "4711" not in repr(told)
    assert "ACC" not in repr(told)


def test_the_same_row_for_each_series_is_one_and_different_ones_are_refused() -> None:
    same = [("ACC1", 1, 1950), ("ACC1", 1, 1950)]
    assert covariates_of(frame("born"), same, SESSIONS, KEY).rows["S1"]["born"] == "1950"
    with pytest.raises(Rejection) as refused:
        covariates_of(frame("born"), [("ACC1", 1, 1950), ("ACC1", 1, 1951)], SESSIONS, KEY)
    assert refused.value.code == "several_rows"
    assert "ACC1" not in refused.value.reason


@pytest.mark.parametrize("names", [("study",), ("path", "x"), (" mask ",), ("a b", "a  b")])
def test_a_column_that_the_table_has_already_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(Rejection) as refused:
        covariates_of(frame(*names), [], SESSIONS, KEY)
    assert refused.value.code == "column_taken"


def test_the_columns_of_the_table_itself_are_known_here() -> None:
    assert {column.name for column in fields(Picture)} == OWN_COLUMNS


def test_values_are_plain_text() -> None:
    values = [(date(2020, 5, 4), "2020-05-04"), (True, "1"), (Decimal("1.50"), "1.50"), (0.1, "0.1"), (None, "")]
    for value, text in values:
        told = covariates_of(frame("x"), [("ACC1", 1, value)], SESSIONS, KEY)
        assert told.rows["S1"]["x"] == text


@given(st.frozensets(st.builds(Member, st.integers(1, 9), st.text("AB01", min_size=1, max_size=3))), st.integers(0, 5))
def test_a_limit_keeps_so_many_accession_numbers_whatever_their_order(members: frozenset[Member], limit: int) -> None:
    kept = chosen(sorted(members), limit, KEY)
    assert set(kept) == set(chosen(sorted(members, reverse=True), limit, KEY))
    assert len({member.accession for member in kept}) == min(limit, len({member.accession for member in members}))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.text(max_size=5), st.dictionaries(st.sampled_from(["a", "é"]), st.text(max_size=5))),
    st.frozensets(st.text(max_size=5)),
)
def test_covariates_are_read_as_they_were_written(
    tmp_path: Path, rows: dict[str, dict[str, str]], gone: frozenset[str]
) -> None:
    made = Covariates(("a", "é"), rows).without(gone)
    made.write(tmp_path)
    assert Covariates.read(tmp_path) == made
    assert not gone & made.rows.keys()
    Covariates().write(tmp_path)
    assert Covariates.read(tmp_path) == Covariates()
