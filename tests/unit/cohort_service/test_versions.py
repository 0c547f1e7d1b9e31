"""Which texts are the same version of a cohort."""

import pytest

from schemas.sql.judge import judge
from services.cohort.domain.versions import Cohort, cohort_id, normalised
from tests.corpora.reading import Sample, good


@pytest.mark.parametrize("sample", good(), ids=str)
def test_a_text_and_its_normal_form_are_one_version_and_of_one_kind(sample: Sample) -> None:
    normal = normalised(sample.sql)
    assert normalised(normal) == normal
    assert type(judge(normal)) is type(judge(sample.sql))
    spread = sample.sql.replace("\n", "\n\n").rstrip(";") + "\n-- the same"
    assert Cohort().with_text(sample.sql)[0].with_text(spread)[1] == 1


def test_texts_of_the_corpus_are_versions_of_their_own() -> None:
    texts = list(dict.fromkeys(sample.sql for sample in good()))
    assert len({normalised(text) for text in texts}) == len(texts)


def test_cohorts_of_two_projects_or_names_are_counted_apart() -> None:
    ids = {cohort_id("p1", None), cohort_id("p1", "knees"), cohort_id("p2", None)}
    assert len(ids) == 3
    assert cohort_id("p1", None) == cohort_id("p1", "cohort")
