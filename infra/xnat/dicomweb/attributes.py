"""What searches tell of studies, series and instances, in the DICOM JSON model (PS3.18 F)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement

from infra.xnat.dicom import UNREADABLE
from infra.xnat.dicomweb.finding import RESOURCE, series_address
from infra.xnat.dicomweb.reading import header

if TYPE_CHECKING:
    from infra.xnat.dicomweb.finding import Instance
    from infra.xnat.model import Node

Attributes = dict[str, dict[str, Any]]

_READ = (
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
)


def told(said: dict[str, object]) -> Attributes:
    """Return values by keyword as DICOM JSON; empty ones keep their place without a value."""
    dataset = Dataset()
    for keyword, value in said.items():
        tag = tag_for_keyword(keyword) or 0
        dataset[tag] = DataElement(tag, dictionary_VR(tag), value)
    return dataset.to_json_dict()


def of_study(sessions: list[Node], root: str) -> Attributes:
    """Return a study's attributes (PS3.18 table 10.6.3-3); `root` is its project's DICOMweb address."""
    fields = sessions[0].fields
    scans = [scan for session in sessions for scan in session.children["scans"].values()]
    return told({
        "StudyInstanceUID": fields["UID"],
        "StudyDate": fields.get("date", "").replace("-", ""),
        "StudyTime": fields.get("time", "").replace(":", ""),
        "AccessionNumber": fields.get("dcmAccessionNumber", ""),
        "StudyDescription": fields.get("session_type", ""),
        "PatientName": fields.get("dcmPatientName", ""),
        "PatientID": fields.get("dcmPatientId", ""),
        "PatientBirthDate": "",
        "PatientSex": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "ModalitiesInStudy": sorted({scan.fields.get("modality", "") for scan in scans} - {""}),
        "NumberOfStudyRelatedSeries": len(scans),
        "NumberOfStudyRelatedInstances": sum(map(_count, scans)),
        "InstanceAvailability": "ONLINE",
        "RetrieveURL": f"{root}/studies/{fields['UID']}",
    })  # fmt: skip


def of_series(scan: Node, root: str) -> Attributes:
    """Return a series' attributes (PS3.18 table 10.6.3-4)."""
    fields, number = scan.fields, scan.fields.get("series_number", "")
    session = scan.parent
    return told({
        "StudyInstanceUID": session.fields["UID"] if session else "",
        "SeriesInstanceUID": fields["UID"],
        "Modality": fields.get("modality", ""),
        "SeriesDescription": fields.get("series_description", ""),
        "SeriesNumber": number if number.lstrip("-").isdecimal() else "",
        "NumberOfSeriesRelatedInstances": _count(scan),
        "RetrieveURL": f"{root}/{series_address(scan)}",
    })  # fmt: skip


def of_instance(instance: Instance, root: str) -> Attributes:
    """Return an instance's attributes (PS3.18 table 10.6.3-5), and what puts images in order."""
    dataset = header(instance.location)
    found = Dataset()
    for keyword in _READ:
        _copy(dataset, keyword, found)
    return of_series(instance.scan, root) | found.to_json_dict() | told({
        "InstanceAvailability": "ONLINE",
        "RetrieveURL": f"{root}/{instance.address}",
    })  # fmt: skip


def _copy(dataset: Dataset, keyword: str, found: Dataset) -> None:
    """Take over an element unless its value makes no sense: somebody's scanner wrote it."""
    tag = tag_for_keyword(keyword) or 0
    try:
        if tag in dataset:
            dataset[tag].to_json_dict(None, 0)
            found[tag] = dataset[tag]
    except UNREADABLE:
        found[tag] = DataElement(tag, dictionary_VR(tag), None)


def _count(scan: Node) -> int:
    resource = scan.resources.get(RESOURCE)
    return resource.file_count if resource else 0
