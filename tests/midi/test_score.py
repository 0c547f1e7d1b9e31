"""The de-identification is asked for every action of the answer key, by profile and by option."""

import shutil
import subprocess
import warnings
from collections import Counter
from pathlib import Path

import pytest

from tests.midi.key import Category
from tests.midi.running import DEFAULT, KEYS, RETAINS, clean, expected
from tests.midi.scoring import Outcome, Scorer
from tests.midi.studies import SOURCES, STUDIES, PlantedSet, planted_set, real
from trust_node.imaging.deid import CleanFile, clean_file

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def planted() -> PlantedSet:
    """Two patients with similar names: one study each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return planted_set((STUDIES[0], STUDIES[2]))


@pytest.fixture(scope="module")
def outcomes(planted: PlantedSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return clean(planted, tmp_path_factory.mktemp("clean"))


def test_every_required_action_is_done(planted: PlantedSet, outcomes: dict[str, Outcome]) -> None:
    score = Scorer(outcomes).score(expected(planted, DEFAULT))
    assert score.told() == []
    assert score.required.total() > 25_000


@pytest.mark.parametrize("option", ["clean_descriptors", *RETAINS])
def test_an_option_keeps_what_it_is_for_and_nothing_else(option: str, tmp_path: Path) -> None:
    one = planted_set(STUDIES[:1])
    score = Scorer(clean(one, tmp_path, option)).score(expected(one, option))
    assert score.told() == []
    assert score.required[Category.TEXT_RETAINED] > 0


def test_the_scorer_sees_what_was_not_done(planted: PlantedSet) -> None:
    untouched = {each.instance: Outcome(each.encoded, each.encoded, each.patient) for each in planted.objects}
    score = Scorer(untouched).score(planted.key)
    removed = {Category.TEXT_REMOVED, Category.UID_CHANGED, Category.PATIENT_ID_CONSISTENT, Category.PIXELS_HIDDEN}
    for category in removed | {Category.HELD}:
        assert score.correct[category] == 0, category
    assert score.correct[Category.TAG_RETAINED] == score.required[Category.TAG_RETAINED]
    assert score.correct[Category.PIXELS_RETAINED] == score.required[Category.PIXELS_RETAINED]


def test_an_object_that_is_held_by_mistake_counts_as_all_its_actions(
    planted: PlantedSet, outcomes: dict[str, Outcome]
) -> None:
    lost = outcomes | {"study0/ct": Outcome(outcomes["study0/ct"].original, None)}
    score = Scorer(lost).score(planted.key)
    assert "ct was held and should not have been" in score.told()
    assert score.share < 1


def _errors(file: Path) -> Counter[str]:
    """What dciodvfy holds against a file, without the places that a de-identified file lacks."""
    said = subprocess.run(["dciodvfy", file], capture_output=True, text=True, errors="replace", check=False)
    lines = (said.stdout + said.stderr).splitlines()
    return Counter(line.split(" - ")[0] + " " + line.rpartition(" ")[2] for line in lines if line.startswith("Error"))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="Debian's dicom3tools is not installed")
@pytest.mark.parametrize("name", ["ct", "mr", "mr-jpeg2000", "enhanced-mr", "rt-dose", "us-device-jpeg2000"])
def test_a_clean_object_is_as_valid_as_it_was(name: str, tmp_path: Path) -> None:
    """Nothing planted: no object of these kinds may hold all that the set plants in it."""
    original = real(next(source for source in SOURCES if source.name == name))
    original.save_as(tmp_path / "original.dcm", enforce_file_format=True)
    result = clean_file(tmp_path / "original.dcm", tmp_path, KEYS)
    assert isinstance(result, CleanFile)
    assert _errors(result.path) - _errors(tmp_path / "original.dcm") == Counter()
