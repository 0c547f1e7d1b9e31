"""Every row of table E.1-1 does what its code says, for each way an object can ask for it."""

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as oracle
from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.tag import Tag

from trust_node.imaging.deid import Change, DeidKeys
from trust_node.imaging.deid.dataset import Scope, clean
from trust_node.imaging.deid.iod import Type, attribute_type
from trust_node.imaging.deid.profile import rows
from trust_node.imaging.deid.rules import BEYOND_THE_TABLE, Action, Profile, decide

KEYS = DeidKeys(bytes(32))
BASIC = Profile(frozenset())
UNKNOWN, CT, ENHANCED_MR = "1.2.3.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4.1"
OUTER = Tag("AnatomicRegionSequence")
TEXT, DATE, TIME, UID = "Canaryson", "20040826", "101112", "1.2.826.0.1.3680043.77"
VALUES: dict[str, object] = {
    "DA": DATE, "TM": TIME, "DT": DATE + TIME, "UI": UID, "AS": "045Y", "CS": "CANARY", "DS": "17.5", "IS": "17",
    "FL": 1.5, "FD": 1.5, "US": 7, "SS": 7, "UL": 7, "SL": 7, "AT": 0x00100010, "UR": "https://canary.example",
    "OB": b"CANARY", "OW": b"CANARY", "OF": b"CANARY12", "OD": b"CANARY12", "OL": b"CANARY12", "UN": b"CANARY",
    "OV": b"CANARY12", "SV": 7, "UV": 7,
}  # fmt: skip
# Not in a data set: the file meta information, which is written anew; group 0000 is that of messages.
ELSEWHERE = frozenset({0x00020003, 0x00001000, 0x00001001, 0x00041511})
LISTED = [tag for text in rows() if "X" not in text and (tag := int(text, 16)) not in ELSEWHERE]
KNOWN = [tag for tag in LISTED if dictionary_has_tag(tag)]


def vr_of(tag: int) -> str:
    return dictionary_VR(tag).split(" or ")[0]


def planted(tag: int) -> object:
    if vr_of(tag) != "SQ":
        return VALUES.get(vr_of(tag), TEXT)
    item = Dataset()
    item.CodeMeaning, item.ReferencedSOPInstanceUID, item.StudyDate = TEXT, UID, DATE
    return [item]


def result_of(tag: int, sop_class: str = UNKNOWN, profile: Profile = BASIC, value: object = None) -> Dataset:
    dataset = Dataset()
    dataset.add_new(tag, vr_of(tag), planted(tag) if value is None else value)
    return clean(dataset, Scope(profile, KEYS, 100, sop_class), [])


def nested(tag: int, profile: Profile = BASIC) -> Dataset:
    inner, outer = Dataset(), Dataset()
    inner.add_new(tag, vr_of(tag), planted(tag))
    outer.add_new(OUTER, "SQ", [inner])
    result: Dataset = clean(outer, Scope(profile, KEYS, 100, UNKNOWN), [])[OUTER].value[0]
    return result


def tags_of(code: str) -> list[int]:
    """Return where another reader of the standard saw the code."""
    found = [(pair[0] << 16) + pair[1] for pair in getattr(oracle, f"{code}_TAGS") if len(pair) == 2]
    # Values of unknown representation go whatever their code: nobody can tell what a dummy for them is.
    return [tag for tag in found if tag in KNOWN and vr_of(tag) != "UN"]


def test_nearly_all_rows_are_tried() -> None:
    assert len(KNOWN) > 600


@pytest.mark.parametrize("depth", [result_of, nested])
def test_x_removes_at_every_depth(depth: object) -> None:
    kept = [keyword_for_tag(tag) for tag in tags_of("X") if tag in depth(tag)]  # type: ignore[operator]
    assert kept == []


@pytest.mark.parametrize("depth", [result_of, nested])
def test_z_empties_at_every_depth(depth: object) -> None:
    results = {tag: depth(tag) for tag in tags_of("Z")}  # type: ignore[operator]
    assert [keyword_for_tag(tag) for tag, result in results.items() if not result[tag].is_empty] == []


@pytest.mark.parametrize("depth", [result_of, nested])
def test_d_replaces_by_a_value_that_says_nothing(depth: object) -> None:
    for tag in tags_of("D"):
        element = depth(tag)[tag]  # type: ignore[operator]
        assert not element.is_empty
        assert vr_of(tag) == element.VR
        if element.VR == "SQ":
            assert [word for word in (TEXT, UID, DATE) if word in str(element)] == []
        else:
            assert element.value != planted(tag), element.keyword


@pytest.mark.parametrize("depth", [result_of, nested])
def test_u_maps_the_same_uid_to_the_same_one(depth: object) -> None:
    mapped = {depth(tag)[tag].value for tag in tags_of("U") if vr_of(tag) == "UI"}  # type: ignore[operator]
    assert mapped == {KEYS.uid(UID)}


@pytest.mark.parametrize("code", ["X_Z", "X_D", "Z_D", "X_Z_D"])
def test_a_slashed_code_of_an_unknown_class_is_valid_for_every_type(code: str) -> None:
    for tag in tags_of(code):
        element = result_of(tag)[tag]
        assert element.value != planted(tag)
        assert element.is_empty == (code == "X_Z"), element.keyword


@pytest.mark.parametrize(
    ("keyword", "sop_class", "expected"),
    [
        ("DeviceSerialNumber", CT, None),  # type 3
        ("DeviceSerialNumber", ENHANCED_MR, "ANONYMIZED"),  # type 1
        ("ContentDate", "1.2.840.10008.5.1.4.1.1.2", ""),  # type 2C, by Z/D
        ("ContentDate", ENHANCED_MR, "ANY"),  # type 1
        ("ContrastBolusAgent", CT, ""),  # type 2
        ("SeriesDate", CT, None),  # type 3, by X/D
        ("AcquisitionDate", CT, None),  # type 3, by X/Z
    ],
)
def test_a_slashed_code_is_settled_by_the_type_in_the_iod(keyword: str, sop_class: str, expected: str | None) -> None:
    tag = Tag(keyword)
    element = result_of(tag, sop_class).get(tag)
    if expected is None:
        assert element is None
    elif expected == "ANY":
        assert element is not None
        assert element.value not in ("", planted(tag))
    else:
        assert element is not None
        assert element.value == expected


def test_the_type_depends_on_the_sequence_around_an_attribute() -> None:
    tag, around = Tag("InstitutionName"), Tag("OperatorIdentificationSequence")
    assert attribute_type(CT, tag) is Type.OPTIONAL
    assert attribute_type(CT, tag, around) is Type.VALUE
    assert attribute_type(UNKNOWN, tag) is None


def test_referenced_images_stay_with_new_uids() -> None:
    for tag in tags_of("X_Z_U_STAR"):
        assert result_of(tag)[tag].value[0].ReferencedSOPInstanceUID == KEYS.uid(UID)


@pytest.mark.parametrize("tag", [0x50003000, 0x501E0005, 0x60003000, 0x60004000, 0x60100010, 0x00290010, 0x7FE11001])
def test_curves_overlays_and_private_elements_go(tag: int) -> None:
    dataset = Dataset()
    dataset.add_new(tag, "LO", TEXT)
    assert len(clean(dataset, Scope(BASIC, KEYS, 100, CT), [])) == 0


@pytest.mark.parametrize("tag", sorted(BEYOND_THE_TABLE))
def test_what_identifies_beyond_the_table_goes(tag: int) -> None:
    assert rows().get(f"{tag:08X}") is None
    assert tag not in result_of(tag)


def test_a_name_or_a_date_that_no_row_lists_is_not_kept() -> None:
    unlisted = [tag for tag in _dictionary() if f"{tag:08X}" not in rows() and vr_of(tag) in ("PN", "DA", "DT", "TM")]
    assert len(unlisted) > 10
    for tag in unlisted:
        assert result_of(tag)[tag].value != planted(tag), keyword_for_tag(tag)


def _dictionary() -> list[int]:
    from pydicom._dicom_dict import DicomDictionary

    return [tag for tag in DicomDictionary if tag >> 16 > 8 and tag not in BEYOND_THE_TABLE]


def test_what_no_row_lists_and_no_name_is_stays() -> None:
    for keyword in ("SliceThickness", "ImagePositionPatient", "EchoTime", "Rows", "Modality", "BodyPartExamined"):
        tag = Tag(keyword)
        assert decide(BASIC, tag, vr_of(tag), CT).action is Action.KEEP


def test_an_empty_value_needs_no_dummy() -> None:
    assert result_of(Tag("ClinicalTrialSponsorName"), value="")[Tag("ClinicalTrialSponsorName")].value == ""


def test_every_change_is_told_and_no_value_is() -> None:
    dataset, changes = Dataset(), list[Change]()
    dataset.PatientAddress, dataset.StudyInstanceUID = TEXT, UID
    dataset.AnatomicRegionSequence = [Dataset()]
    dataset.AnatomicRegionSequence[0].StudyID = TEXT
    clean(dataset, Scope(BASIC, KEYS, 100, CT), changes)
    assert changes == [
        Change("(0008,2218)/(0020,0010)", "empty", "basic Z"),
        Change("(0010,1040)", "remove", "basic X"),
        Change("(0020,000D)", "remap", "basic U"),
    ]


@pytest.mark.parametrize("action", [Action.DUMMY, Action.EMPTY, Action.REMOVE])
@pytest.mark.parametrize("keyword", ["PatientSex", "ClinicalTrialSubjectID", "PatientAddress", "SliceThickness"])
def test_an_override_only_makes_stricter(keyword: str, action: Action) -> None:
    tag = Tag(keyword)
    floor = decide(BASIC, tag, vr_of(tag), CT).action
    stricter = decide(Profile(frozenset(), frozenset({(int(tag), action)})), tag, vr_of(tag), CT).action
    assert stricter is max(floor, action)
