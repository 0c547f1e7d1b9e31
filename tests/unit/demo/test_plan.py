from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.demo.people import people_of
from infra.demo.plan import LABELS, MOST_TRUSTS, PlannedStudy, canaries, labels_at, plan

TRUSTS = ["amber", "birch"]


@pytest.fixture(scope="module")
def studies() -> list[PlannedStudy]:
    return plan(TRUSTS, people_of(TRUSTS))


def test_the_people_of_all_trusts_are_everybody_once():
    people = people_of(["amber", "birch", "cedar"])
    ids = [person.id for own in people.values() for person in own]
    assert len(ids) == len(set(ids)) == 1130


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, MOST_TRUSTS), seed=st.text(max_size=8))
def test_any_plan_uses_each_slice_once_and_each_uid_once(count, seed):
    trusts = ["amber", "birch", "cedar", "dogwood"][:count]
    planned = plan(trusts, people_of(trusts), seed)
    series = [series for study in planned for series in study.series]
    slices = [(s.run.source, s.run.slice_at(place)) for s in series for place in range(len(s.instance_uids))]
    uids = [uid for s in series for uid in (s.uid, *s.instance_uids)] + [study.uid for study in planned]
    assert len(set(slices)) == len(slices)
    assert len(set(uids)) == len(uids)
    assert all(place < source.slices for source, place in slices)


def test_the_same_seed_gives_the_same_plan_and_another_seed_other_identities(studies):
    people = people_of(TRUSTS)
    assert plan(TRUSTS, people) == studies
    others = {study.identity for study in plan(TRUSTS, people, "other")}
    assert not others & {study.identity for study in studies}


@pytest.mark.parametrize("trust", TRUSTS)
def test_a_trust_has_fourteen_whole_studies_one_broken_and_one_ambiguous_pair(studies, trust):
    fates = Counter(study.fate for study in studies if study.trust == trust)
    assert fates == {"whole": 14, "broken": 1, "ambiguous": 2}


@pytest.mark.parametrize("trust", TRUSTS)
def test_one_accession_belongs_to_one_person_and_only_the_ambiguous_one_to_two_studies(studies, trust):
    own = [study for study in studies if study.trust == trust]
    assert len({study.person for study in own}) == len({study.identity.accession for study in own}) == 16
    shared = Counter(study.identity.accession for study in own)
    assert {study.fate for study in own if shared[study.identity.accession] == 2} == {"ambiguous"}


def test_at_least_twelve_imaged_people_of_each_trust_are_born_before_2000(studies):
    older = Counter(study.trust for study in studies if study.person.born.year < 2000 and study.fate == "whole")
    assert min(older.values()) >= 12


def test_each_trust_lacks_two_labels_that_another_has(studies):
    found = {trust: {s.label for study in studies if study.trust == trust for s in study.series} for trust in TRUSTS}
    assert [found[trust] for trust in TRUSTS] == [set(labels_at(0)), set(labels_at(1))]
    assert all(len(labels) == 3 for labels in found.values())
    assert set.union(*found.values()) == set(LABELS)


def test_canaries_hold_every_planted_string_in_each_form_of_a_date(studies):
    study = studies[0]
    planted = set(canaries(studies))
    assert set(study.identity.patient_name.split("^")) <= planted
    assert {study.person.born.isoformat(), study.person.born.strftime("%Y%m%d")} <= planted
    assert {study.uid, study.identity.accession, study.series[0].instance_uids[-1]} <= planted
    assert min(map(len, planted)) >= 8


def test_accessions_fit_their_field_and_hold_no_wildcard(studies):
    accessions = [study.identity.accession for study in studies]
    assert all(len(accession) <= 16 and accession.isalnum() for accession in accessions)


def test_more_trusts_than_the_slices_suffice_for_are_refused():
    trusts = [f"trust{place}" for place in range(MOST_TRUSTS + 1)]
    with pytest.raises(ValueError, match="lower TRUSTS"):
        plan(trusts, people_of(trusts))


def test_a_trust_with_too_few_people_is_refused():
    with pytest.raises(ValueError, match="people of amber"):
        plan(["amber"], {"amber": people_of(["amber"])["amber"][:5]})
