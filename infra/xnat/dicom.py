"""What a zip of DICOM files holds, and how its series become scans. Only headers are read, nothing is stored."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from infra.xnat import names
from infra.xnat.arriving import unpack
from infra.xnat.refusal import Refusal, bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom import Dataset

    from infra.xnat.archive import Arrival
    from infra.xnat.limits import Limits

_TYPED = {
    "MR": "mr",
    "CT": "ct",
    "PT": "pet",
    "CR": "cr",
    "DX": "dx",
    "US": "us",
    "XA": "xa",
    "NM": "nm",
    "MG": "mg",
}
UNREADABLE = (
    InvalidDicomError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    MemoryError,
    struct.error,
    zlib.error,
)
_LEADING = ("PT", "MR", "CT")
_READ = {
    "uid": "SOPInstanceUID",
    "study": "StudyInstanceUID",
    "date": "StudyDate",
    "series": "SeriesInstanceUID",
    "number": "SeriesNumber",
    "description": "SeriesDescription",
    "modality": "Modality",
    "time": "StudyTime",
    "title": "StudyDescription",
    "accession": "AccessionNumber",
    "patient": "PatientID",
    "patient_name": "PatientName",
    "comments": "PatientComments",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM file and the elements that decide where it goes and what lists say of it; absent ones are empty."""

    arrival: Arrival
    uid: str
    study: str
    date: str
    series: str
    number: str
    description: str
    modality: str
    time: str = ""
    title: str = ""
    accession: str = ""
    patient: str = ""
    patient_name: str = ""
    comments: str = ""

    @property
    def file_name(self) -> str:
        return f"{names.clean(self.uid)}.dcm"


def read_packed(packed: Path, folder: Path, limits: Limits, *, lenient: bool = False) -> list[Instance]:
    """Unpack a zip or tar of one study's DICOM files into `folder`. Raises 400 and 413 when that can't be done.

    What is not DICOM is a 400 as well, unless `lenient`: then it is left out.
    """
    arrivals = unpack(packed, folder, limits).values()
    instances = [each for each in map(_read_leniently if lenient else read, arrivals) if each]
    if not instances:
        raise bad_request("body: it packs no files that are DICOM")
    if len({instance.study for instance in instances}) > 1:
        raise bad_request("body: it packs more than one study, send one zip per study")
    return instances


def read(arrival: Arrival) -> Instance:
    """Read a file's header. Raises 400 when it is not DICOM or does not say which instance it is."""
    try:
        _refuse_deflated(arrival)
        header = pydicom.dcmread(arrival.location, stop_before_pixels=True, specific_tags=list(_READ.values()))
        instance = Instance(arrival, **{ours: _text(header, keyword) for ours, keyword in _READ.items()})
    except UNREADABLE as error:
        raise bad_request("body: it holds a file that is not DICOM, leave it out") from error
    if not (instance.uid and instance.study and instance.series):
        raise bad_request("body: a DICOM file has no SOP, study or series instance UID")
    return instance


def _read_leniently(arrival: Arrival) -> Instance | None:
    try:
        return read(arrival)
    except Refusal:
        return None


def _refuse_deflated(arrival: Arrival) -> None:
    """Refuse what is inflated as a whole when it is read: a small file may hold gigabytes."""
    syntax = read_file_meta_info(arrival.location).get("TransferSyntaxUID")
    if syntax == DeflatedExplicitVRLittleEndian:
        raise bad_request("body: a file's transfer syntax is deflated, send it as explicit little endian")


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    return "" if value is None else str(value).strip()


def session_type(modalities: Iterable[str]) -> str:
    """Return the xsiType of a session: the leading modality wins, else the most frequent one."""
    counted = Counter(modalities)
    leading = next((m for m in _LEADING if m in counted), counted.most_common(1)[0][0])
    return f"xnat:{_TYPED.get(leading, 'otherDicom')}SessionData"


def scan_type(modality: str) -> str:
    return f"xnat:{_TYPED.get(modality, 'otherDicom')}ScanData"


def scan_ids(instances: Iterable[Instance], present: dict[str, str]) -> dict[str, str]:
    """Give every series (by UID) a scan ID: the present one, else its number, else `number-MRn`.

    `present` maps the series UIDs that the session has already to their scan IDs.
    """
    chosen = dict(present)
    for instance in sorted(instances, key=lambda i: (i.number.zfill(12), i.series)):
        if instance.series not in chosen:
            taken = set(chosen.values())
            number = names.clean(instance.number).lstrip("-.") or "0"
            modality = names.clean(instance.modality) or "OT"
            again = (f"{number}-{modality}{count}" for count in range(1, len(taken) + 2))
            chosen[instance.series] = next(i for i in (number, *again) if i not in taken)
    return chosen
