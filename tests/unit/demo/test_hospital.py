from collections import Counter

from infra.demo.hospital import split
from infra.demo.people import people_of
from infra.demo.plan import plan

TRUSTS = ["amber", "birch"]


def test_one_study_in_four_of_each_label_is_held_out_at_each_trust():
    for trust in TRUSTS:
        studies = [study for study in plan(TRUSTS, people_of(TRUSTS)) if study.trust == trust and study.fate == "whole"]
        marked = split(studies)
        assert sorted(int(case) for case, _ in marked.values()) == list(range(len(studies)))
        labels = Counter(study.series[0].label for study in studies)
        held_out = Counter(
            study.series[0].label for study in studies if marked[study.identity.accession][1] == "held_out"
        )
        assert held_out == {label: count // 4 for label, count in labels.items() if count >= 4}
