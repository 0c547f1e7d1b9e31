from io import BytesIO

import pydicom
import pytest
from pydicom import Dataset, FileDataset

from trust_node.imaging.deid.leaks import Identity, identity


def test_all_that_identifies_is_gathered_at_every_depth(mr_with_phi: FileDataset) -> None:
    mr_with_phi.ReferringPhysicianTelephoneNumbers = ["020 7946 0958", "020 7946 0959"]
    mr_with_phi.OtherPatientIDs = "OLD-998877"
    found = identity(mr_with_phi)
    assert {"Canaryson^Jane", "Finchley^Bob"} <= found.names
    assert {"MRN0815-4711", "ACC778899", "STUDY-5566", "OLD-998877"} <= found.ids
    assert found.births == {"19660606"}
    assert {"7 Canary Lane", "020 7946 0958", "020 7946 0959", "Canary Hospital"} <= found.phrases
    assert {"1.2.826.0.1.3680043.77", str(mr_with_phi.StudyInstanceUID)} <= found.uids


def test_uids_of_the_standard_and_of_classes_belong_to_nobody(mr: FileDataset) -> None:
    mr.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    mr.RelatedGeneralSOPClassUID = "1.3.46.670589.11"
    found = identity(mr).uids
    assert found.isdisjoint({"1.2.840.10008.1.4.1.1", str(mr.SOPClassUID), "1.3.46.670589.11"})
    assert {str(mr.StudyInstanceUID), str(mr.SOPInstanceUID)} <= found


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("Seen by Dr. Finchley today", "names", "Finchley"),
        ("call Mrs Canaryson", "names", "Canaryson"),
        ("call 020 7946 0958 first", "phrases", "020 7946 0958"),
        ("mail jane@canary.example", "phrases", "jane@canary.example"),
        ("lives in N3 1QT now", "phrases", "N3 1QT"),
        ("see MRN 08154711", "phrases", "MRN 08154711"),
    ],
)
def test_free_text_tells_who_it_is_about(text: str, kind: str, expected: str) -> None:
    dataset = Dataset()
    dataset.StudyDescription = text
    assert getattr(identity(dataset), kind) == {expected}


@pytest.mark.parametrize("text", ["T1 SE AX 256x192", "Thorax 5.0 B70f", "CT 120 kV 3mm", "20 20 FLAIR", "2D/3D TOF"])
def test_a_plain_description_tells_nothing(text: str) -> None:
    dataset = Dataset()
    dataset.SeriesDescription = text
    assert identity(dataset) == Identity()


def test_what_a_profile_keeps_is_not_gathered(mr_with_phi: FileDataset) -> None:
    kept = identity(mr_with_phi, uids=False, institution=False)
    assert kept.uids == frozenset()
    assert "Canary Hospital" not in kept.phrases
    assert "7 Canary Lane" in kept.phrases


def test_slices_read_from_files_tell_the_same_each_time(mr_with_phi: FileDataset) -> None:
    buffer = BytesIO()
    mr_with_phi.save_as(buffer)
    first, second = (identity(pydicom.dcmread(BytesIO(buffer.getvalue()))) for _ in range(2))
    assert first == second == identity(mr_with_phi)


def test_the_same_bytes_in_another_character_set_are_another_name() -> None:
    found = []
    for charset in ("ISO_IR 100", "ISO_IR 144"):
        dataset = Dataset()
        dataset.SpecificCharacterSet = charset
        dataset.add(pydicom.DataElement(0x00100010, "PN", b"\xbb\xee"))
        buffer = BytesIO()
        pydicom.dcmwrite(buffer, dataset, implicit_vr=False, little_endian=True)
        found.append(identity(pydicom.dcmread(BytesIO(buffer.getvalue()), force=True)).names)
    assert found[0] != found[1]
