import pydicom
import pytest
from pydicom import Dataset, FileDataset

from trust_node.imaging.deid import DeidKeys, deidentify, identity, leaks
from trust_node.imaging.deid.leaks import Identity


def test_a_clean_result_has_no_leaks(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    assert leaks(identity(mr_with_phi), deidentify(mr_with_phi, keys).dataset) == []


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("SequenceName", "scan of CANARYSON"),
        ("SoftwareVersions", "v1 MRN0815-4711"),
        ("PositionReferenceIndicator", "born 19660606"),
        ("SequenceName", "ACC778899x"),
        ("FrameOfReferenceUID", "1.2.826.0.1.3680043.77"),
    ],
)
def test_a_word_of_the_original_is_found_and_only_its_place_is_told(
    mr_with_phi: FileDataset, keys: DeidKeys, keyword: str, text: str
) -> None:
    forbidden = identity(mr_with_phi)
    result = deidentify(mr_with_phi, keys).dataset
    setattr(result, keyword, text)
    assert leaks(forbidden, result) == [keyword]


def test_a_word_deep_inside_is_found(mr_with_phi: FileDataset, keys: DeidKeys) -> None:
    result = deidentify(mr_with_phi, keys).dataset
    result.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning = "Jane"
    assert leaks(identity(mr_with_phi), result) == ["CodeMeaning"]


def test_terms_of_the_standard_are_no_leaks_when_a_patient_is_called_like_one() -> None:
    dataset = Dataset()
    dataset.BodyPartExamined, dataset.Manufacturer, dataset.SliceThickness = "HEAD", "PHILIPS", "4711"
    assert leaks(Identity(frozenset({"HEAD", "PHILIPS", "4711"}), frozenset()), dataset) == []


def test_a_short_id_is_a_leak_only_as_a_word_of_its_own() -> None:
    dataset = Dataset()
    dataset.SequenceName = "se2d4711x"
    dataset.SoftwareVersions = "build 4711"
    assert leaks(Identity(frozenset({"4711"}), frozenset()), dataset) == ["SoftwareVersions"]


def test_registered_uids_belong_to_nobody(mr: FileDataset) -> None:
    mr.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    found = identity(mr)
    assert "1.2.840.10008.1.4.1.1" not in found.uids
    assert str(mr.SOPClassUID) not in found.uids
    assert str(mr.StudyInstanceUID) in found.uids
    assert pydicom.uid.UID(mr.SOPInstanceUID) in found.uids
