"""Scripts as sites have them, on a real image with a planted patient, after the profile."""

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom import FileDataset

from tests.unit.imaging.deid.script.playing import KEYS
from trust_node.imaging.deid import CleanFile, clean_file, deidentify
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.script import RejectedError, Script, Surroundings, run
from trust_node.imaging.deid.whitelist import Whitelist

# A site script of the usual kind: labels in, thirty top-level elements out, three UIDs hashed.
SITE = """version "6.3"
// site-wide anonymisation
(0010,0010) := subject
(0010,0020) := subject
(0008,1030) := session
(0010,4000) := project
- (0010,0030)
- (0010,0032)
- (0010,1000)
- (0010,1001)
- (0010,1002)
- (0010,1005)
- (0010,1040)
- (0010,2154)
- (0008,0080)
- (0008,0081)
- (0008,1040)
- (0008,0090)
- (0008,0092)
- (0008,0094)
- (0008,1048)
- (0008,1050)
- (0008,1070)
- (0008,0050)
- (0010,1090)
- (0010,2160)
- (0010,2180)
- (0010,21B0)
- (0010,4000)
- (0032,1032)
- (0040,0006)
- (0040,2016)
- (0040,2017)
- (0040,A123)
(0020,000D) := hashUID[(0020,000D)]
(0020,000E) := hashUID[(0020,000E)]
(0008,0018) := hashUID[(0008,0018)]
(0012,0062) := "YES"
(0012,0063) := "Site-Wide Anonymization v1"
"""

# Labels from a spreadsheet: each column becomes a variable.
RELABEL = """version "6.4"
describe trialSubject "Subject in the trial"
describe visit hidden
export visit "xnat:mrSessionData/visit"
(0010,0010) := concatenate[trialSubject, "_", visit]
(0010,0020) := trialSubject
(0008,1030) := format["{0} / {1}", project, modalityLabel]
(0008,0060) = "MR" ? (0008,103E) := lowercase[modalityLabel] : - (0008,103E)
"""

# What the reference guide shows, in words of our own.
GUIDE = """version "6.6"
- (0010,0030)
- (50X@,XXXX)
- */(0008,0080)
- (0008,1140)[0]/(0008,1155)
- (0019,{GEMS_ACQU_01}XX)
removeAllPrivateTags
name := (0010,0010)
(0008,0008) ~ ".*DERIVED.*" ? (0008,103E) := "derived"
(0008,0060) = "MR" ? (0018,0015) := "HEAD" : - (0018,0015)
if (ismatch[(0008,0060), "CT|PT"]) {
    (0018,0015) := "CHEST"
} elseif ((0008,0060) = "MR") {
    (0018,0015) := "BRAIN"   // a comment
} else {
    echo "neither"
}
(0020,0010) := replace[name, "^", " "]
(0008,0020) := shiftDateByIncrement[(0008,0020), -7]
shiftDateTimeListByIncrement[{(0008,0021),
    (0008,0022)}, -7, "days"]
(0020,0052) := mapUID[(0020,0052), "1.3.6.1.4.1"]
mapReferencedUIDs["1.3.6.1.4.1", "*/(0008,1155)", "*/(0008,1199)/(0008,1155)"]
hashUIDList[*/(0020,000D), {(0020,000E), (0008,0018)}]
blankValues[collectValues[(0010,1001), (0010,1005)], "OTHER"]
isPresent[(0028,1050)] ? (0028,1055) := "seen"
reject[ismatch[(0008,0008), ".*LOCALIZER.*"], "localisers are not wanted"]
alterPixels["rectangle", "l=0, t=0, r=9, b=4", "solid", "v=100"]
"""
GIVEN = {
    "project": "P-1",
    "subject": "S-1",
    "session": "E-1",
    "modalityLabel": "MR",
    "trialSubject": "T7",
    "visit": "V2",
}


def played(text: str, original: FileDataset) -> FileDataset:
    result = deidentify(original, KEYS).dataset
    run([Script.parse(text, "corpus")], result, Surroundings(GIVEN, KEYS))
    return result


def encoded(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_a_site_script(mr_with_phi: FileDataset) -> None:
    result = played(SITE, mr_with_phi)
    assert (result.PatientName, result.PatientID, result.StudyDescription) == ("S-1", "S-1", "E-1")
    assert [
        keyword for keyword in ("PatientBirthDate", "AccessionNumber", "PatientComments") if keyword in result
    ] == []
    assert result.DeidentificationMethod[-1] == "Site-Wide Anonymization v1"
    assert len(result.DeidentificationMethod) == 2
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID
    assert "DeidentificationMethodCodeSequence" in result


def test_a_relabelling_script(mr: FileDataset) -> None:
    result = played(RELABEL, mr)
    assert (result.PatientName, result.PatientID) == ("T7_V2", "T7")
    assert (result.StudyDescription, result.SeriesDescription) == ("P-1 / MR", "mr")


def test_the_guides_examples(mr_with_phi: FileDataset) -> None:
    mr_with_phi.ImageType = ["DERIVED", "PRIMARY"]
    before = deidentify(mr_with_phi, KEYS).dataset
    result = played(GUIDE, mr_with_phi)
    assert (result.BodyPartExamined, result.SeriesDescription, result.StudyID) == (
        "BRAIN",
        "derived",
        before.PatientName,
    )
    assert result.FrameOfReferenceUID.startswith("1.3.6.1.4.1.")
    assert result.StudyDate < before.StudyDate
    assert len(set(result.pixel_array[:5, :10].flat)) == 1 < len(set(before.pixel_array[:5, :10].flat))
    assert (result.pixel_array[:5, 10:] == before.pixel_array[:5, 10:]).all()
    assert (result.pixel_array[5:] == before.pixel_array[5:]).all()
    assert "ReferencedSOPInstanceUID" not in result.ReferencedImageSequence[0]


def test_the_guides_script_refuses_localisers(mr: FileDataset) -> None:
    mr.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    with pytest.raises(RejectedError, match="localisers are not wanted"):
        played(GUIDE, mr)


@pytest.mark.parametrize("text", [SITE, RELABEL, GUIDE], ids=["site", "relabel", "guide"])
def test_twice_is_the_same_as_once_on_a_fresh_copy(text: str, mr: FileDataset) -> None:
    assert encoded(played(text, mr)) == encoded(played(text, mr))


@pytest.mark.parametrize("text", [SITE, GUIDE], ids=["site", "guide"])
def test_files_go_the_same_way_as_objects(text: str, mr_with_phi: FileDataset, tmp_path: Path) -> None:
    mr_with_phi.save_as(tmp_path / "original.dcm")
    (tmp_path / "clean").mkdir()
    listed = Whitelist.read("(0010,XXXX)\n(0008,XXXX)\n(0018,XXXX)\n(0020,XXXX)")
    plan = DeidPlan(KEYS, scripts=(Script.parse(text, "site"),), whitelist=listed, project="P-1")
    result = clean_file(tmp_path / "original.dcm", tmp_path / "clean", plan)
    assert isinstance(result, CleanFile)
    assert pydicom.dcmread(result.path) == deidentify(pydicom.dcmread(tmp_path / "original.dcm"), plan).dataset
    assert any(change.rule.startswith("site:") for change in result.changes)
    assert "white list" in {change.rule for change in result.changes}


# All that a script can read is written where it can be seen.
CURIOUS = """version "6.6"
everything := collectValues[*/(XXX@,XXXX), */(XXX#,{CANARY OUTER}XX), */(XXX#,{CANARY INNER}XX)]
(0010,4000) := concatenate[everything]
(0008,1030) := (0010,0010)
(0010,0030) := (0010,0030)
(0009,{CANARY OUTER}01) := (0009,{CANARY OUTER}01)
(0008,0050) := concatenate[(0010,1040), (0008,0080), (0008,1010), (0018,1000)]
"""


def test_a_script_cannot_bring_back_what_the_profile_took_away(mr_with_phi: FileDataset) -> None:
    canaries = [b"anaryson", b"MRN0815", b"19660606", b"ACC778899", b"5566", b"Canary", b"SN-CANARY", b"Finchley"]
    assert all(canary in encoded(mr_with_phi) for canary in canaries)
    result = encoded(played(CURIOUS, mr_with_phi))
    assert [canary for canary in canaries if canary in result] == []
    assert b"S-1" not in result
