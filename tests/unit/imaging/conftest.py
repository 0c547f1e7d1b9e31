"""Objects with a planted patient, and the keys of an invented trust."""

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset, FileDataset
from pydicom.data import get_testdata_file

from trust_node.imaging.deid import DeidKeys


@pytest.fixture
def keys() -> DeidKeys:
    return DeidKeys(bytes(range(32)))


@pytest.fixture
def mr() -> FileDataset:
    """A real MR slice; its own patient is called CompressedSamples^MR1, with the id 4MR1."""
    return pydicom.dcmread(get_testdata_file("MR_small.dcm"))


@pytest.fixture
def mr_with_phi(mr: FileDataset) -> FileDataset:
    """The slice with a patient planted in the header, in sequences, private blocks, UIDs and free text."""
    mr.PatientName, mr.PatientID, mr.PatientBirthDate = "Canaryson^Jane", "MRN0815-4711", "19660606"
    mr.AccessionNumber, mr.StudyID = "ACC778899", "STUDY-5566"
    mr.ReferringPhysicianName, mr.PatientAddress = "Finchley^Bob", "7 Canary Lane"
    mr.StudyDescription = "Brain of Jane Canaryson"
    mr.InstitutionName, mr.StationName, mr.DeviceSerialNumber = "Canary Hospital", "CANARY1", "SN-CANARY"
    mr.RequestAttributesSequence = [item(RequestedProcedureID="ACC778899", PatientID="MRN0815-4711")]
    mr.ReferencedImageSequence = [
        item(ReferencedSOPClassUID=mr.SOPClassUID, ReferencedSOPInstanceUID="1.2.826.0.1.3680043.77")
    ]
    inner = item(PatientName="Canaryson^Jane", ContentDate="20200305", PatientBirthDate="19660606")
    inner.private_block(0x0011, "CANARY INNER", create=True).add_new(1, "LO", "Canaryson")
    mr.AnatomicRegionSequence = [item(AnatomicRegionModifierSequence=[inner], CodeMeaning="Brain")]
    mr.private_block(0x0009, "CANARY OUTER", create=True).add_new(1, "PN", "Canaryson^Jane")
    mr.add_new(0x50003000, "OW", b"Canaryson ")
    mr.add_new(0x60004000, "LT", "Canaryson")
    mr.preamble = b"Canaryson".ljust(128, b"\0")
    mr.file_meta.SourceApplicationEntityTitle = "CANARY-AE"
    return mr


@pytest.fixture
def save(tmp_path: Path) -> Callable[[FileDataset], Path]:
    def to_disk(dataset: FileDataset) -> Path:
        path = tmp_path / "original.dcm"
        dataset.save_as(path)
        return path

    return to_disk


def item(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset
