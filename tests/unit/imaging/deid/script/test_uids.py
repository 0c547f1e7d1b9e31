"""Functions that replace UIDs."""

import pytest

from tests.unit.imaging.deid.script.playing import KEYS, play, thing, value_of


@pytest.mark.parametrize(
    ("value", "uid"),
    [
        ("1.2.3", "2.25.148370922854076938159295778886134140470"),
        ("1.2.3.444.555", "2.25.151084009948217556417582685022853404996"),
        ("0.0.0", "2.25.179381058945121467305106941903336095433"),
        ("1.2.3.4", "2.25.12977335313771255011876057319581175462"),
    ],
)
def test_hash_uid_is_dicomedits(value: str, uid: str) -> None:
    assert value_of(f'hashUID["{value}"]') == uid


def test_hash_uid_of_nothing_is_nothing() -> None:
    assert value_of("hashUID[(0020,000D)]") is None
    assert value_of("hashUID[(0020,000D)]", thing(StudyInstanceUID="")) is None


def test_hash_uid_list_goes_everywhere_and_hashes_each_value() -> None:
    inner = thing(StudyInstanceUID="1.2.3.444.555.0", SeriesInstanceUID="1.2.3")
    dataset = thing(
        StudyInstanceUID="1.2.3.444.555",
        RelatedGeneralSOPClassUID=["1.2.3.4.5", "1.2.3.4.5.6", "99.99999.999"],
        ReferencedStudySequence=[inner],
    )
    play("uids := {(0008,001A), */(0020,000D)}\nhashUIDList[uids]", dataset)
    assert dataset.StudyInstanceUID == "2.25.151084009948217556417582685022853404996"
    assert inner.StudyInstanceUID == "2.25.21621800940148076483240768691790573264"
    assert inner.SeriesInstanceUID == "1.2.3"
    assert list(dataset.RelatedGeneralSOPClassUID) == [
        "2.25.281097975800109040096884226991818420711",
        "2.25.262228503153619312954819897114011402300",
        "2.25.231023445675908772609000485091754869630",
    ]


def test_an_element_that_two_paths_mean_is_hashed_once() -> None:
    dataset = thing(StudyInstanceUID="1.2.3")
    assert len(play("hashUIDList[(0020,000D), */(0020,000D)]", dataset)) == 1
    assert dataset.StudyInstanceUID == "2.25.148370922854076938159295778886134140470"


def test_new_uids_differ_within_an_object_and_repeat_for_it() -> None:
    def made(instance: str) -> list[str]:
        dataset = thing(SOPInstanceUID=instance)
        play("(0008,0014) := newUID[]\n(0020,0052) := newUID[]", dataset)
        return [dataset.InstanceCreatorUID, dataset.FrameOfReferenceUID]

    assert made("1.2.3") == made("1.2.3")
    assert len({*made("1.2.3"), *made("1.2.4")}) == 4


def test_mapped_uids_agree_across_objects_and_keep_the_prefix() -> None:
    inner = thing(ReferencedSOPInstanceUID="1.2.3")
    dataset = thing(SOPInstanceUID="1.2.3", ReferencedImageSequence=[inner])
    play(
        '(0020,0052) := mapUID[(0008,0018), "1.3.6.1"]\nmapReferencedUIDs["1.3.6.1", "*/(0008,1155)", (0008,0018)]',
        dataset,
    )
    assert dataset.FrameOfReferenceUID == inner.ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.SOPInstanceUID.startswith("1.3.6.1.")
    assert len(dataset.SOPInstanceUID) <= 64
    assert dataset.SOPInstanceUID.is_valid


def test_mapped_uids_are_keyed() -> None:
    from trust_node.imaging.deid import DeidKeys
    from trust_node.imaging.deid.script.uids import mapped_uid

    assert mapped_uid(KEYS, "1.2", "1.3") != mapped_uid(DeidKeys(bytes(32)), "1.2", "1.3")
    assert len(mapped_uid(KEYS, "1.2", "1." + "2" * 38)) == 64
