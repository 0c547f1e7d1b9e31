"""Values that stand nowhere else, planted in studies, and the search for them in all that a system leaves behind."""

import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom import DataElement, Dataset
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import FileDataset

UID_ROOT = "1.2.826.0.1.3680043.8.498.99"
PLANTED = re.compile(rb"ZQX[0-9]{5}|1\.2\.826\.0\.1\.3680043\.8\.498\.99\.[0-9]{5}(?![0-9])")
HEADER = (
    "PatientName", "PatientID", "AccessionNumber", "StudyID", "OtherPatientIDs", "PatientAddress",
    "PatientMotherBirthName",
    "PatientTelephoneNumbers", "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "InstitutionName",
    "InstitutionAddress", "StationName", "DeviceSerialNumber", "AdmissionID", "RequestingPhysician", "PatientComments",
    "AdditionalPatientHistory", "RequestedProcedureID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "FrameOfReferenceUID", "PatientBirthName", "CountryOfResidence", "Occupation", "PhysiciansOfRecord",
)  # fmt: skip
DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ImageComments", "ProtocolName")
NESTED = ("PatientName", "PatientID", "InstitutionName", "ReferencedSOPInstanceUID", "OperatorsName", "PersonAddress")
OF_EACH_OBJECT = len(HEADER) + len(DESCRIPTIONS) + len(NESTED) + 2
MOST_IN_ARCHIVE = 2**30


@dataclass(frozen=True, slots=True)
class Canaries:
    """Encoded objects, each a study of its own patient, and every value that was planted in them."""

    objects: tuple[bytes, ...]
    planted: frozenset[bytes]


def canaries(values: int = 200) -> Canaries:
    """Plant at least `values` distinct values: header, descriptions, three sequences deep, private blocks, head."""
    count = -(-values // OF_EACH_OBJECT)
    numbers = iter(range(10_000, 100_000))
    objects = tuple(_encoded(_planted(numbers)) for _ in range(count))
    return Canaries(objects, frozenset(value for each in objects for value in found_in(each)))


def found_in(content: bytes) -> frozenset[bytes]:
    """Return the planted values that stand in some bytes, in whatever case, also in UTF-16, zip and gzip."""
    plain = content.upper()
    wide = plain.replace(b"\0", b"") if b"\0" in plain else b""
    found = {*PLANTED.findall(plain), *PLANTED.findall(wide)}
    return frozenset(found.union(*(found_in(member) for member in _members(content))))


def found_below(folder: Path) -> dict[str, frozenset[bytes]]:
    """Return where in a folder, names of files included, planted values stand; empty when nowhere."""
    files = ((path, path.read_bytes() if path.is_file() else b"") for path in sorted(folder.rglob("*")))
    places = {str(path): found_in(bytes(path.relative_to(folder)) + b"\n" + content) | found_in(content)
              for path, content in files}  # fmt: skip
    return {place: found for place, found in places.items() if found}


def _members(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"PK\3\4"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(member) for member in archive.infolist() if member.file_size < MOST_IN_ARCHIVE)
    elif content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)


def _value(vr: str, number: int) -> object:
    return {"UI": f"{UID_ROOT}.{number}", "PN": f"ZQX{number}^Jane"}.get(vr, f"ZQX{number}")


def _planted(numbers: Iterator[int]) -> FileDataset:
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    _plant(dataset, HEADER, numbers)
    for keyword in DESCRIPTIONS:
        setattr(dataset, keyword, f"T1 AX of ZQX{next(numbers)}")
    innermost = Dataset()
    _plant(innermost, NESTED, numbers)
    middle = Dataset()
    middle.AnatomicRegionModifierSequence = [innermost]
    dataset.AnatomicRegionSequence = [middle]
    dataset.private_block(0x0009, "CANARY", create=True).add_new(1, "LO", f"ZQX{next(numbers)}")
    dataset.preamble = f"ZQX{next(numbers)}".encode().ljust(128, b"\0")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def _plant(dataset: Dataset, keywords: tuple[str, ...], numbers: Iterator[int]) -> None:
    for keyword in keywords:
        vr = dictionary_VR(keyword)
        dataset.add(DataElement(tag_for_keyword(keyword), vr, _value(vr, next(numbers))))


def _encoded(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
