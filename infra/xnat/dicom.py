"""What a DICOM zip holds, and how its series become scans. Decisions only read headers; nothing is stored here."""

from __future__ import annotations

import struct
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydicom
from pydicom.errors import InvalidDicomError

from infra.xnat import names
from infra.xnat.arriving import reading_packed, take_in
from infra.xnat.refusal import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom import Dataset

    from infra.xnat.archive import Arrival

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
_UNREADABLE = (
    InvalidDicomError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    struct.error,
)
_LEADING = ("PT", "MR", "CT")
_READ = [
    "SOPInstanceUID",
    "StudyInstanceUID",
    "StudyDate",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "Modality",
]


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM file of a zip and the elements that decide where it goes; absent ones are empty."""

    arrival: Arrival
    uid: str
    study: str
    date: str
    series: str
    number: str
    description: str
    modality: str

    @property
    def file_name(self) -> str:
        return f"{names.clean(self.uid)}.dcm"


def read_zip(packed: Path, folder: Path) -> list[Instance]:
    """Unpack a zip of DICOM files into `folder`. Raises 400 when the zip or one of its files can't be read."""
    with reading_packed("body: not a whole zip file, send it again"), zipfile.ZipFile(packed) as zipped:
        members = [member for member in zipped.infolist() if not member.is_dir()]
        arrivals = [_take_in(zipped, member, folder / str(number)) for number, member in enumerate(members)]
    instances = [_read(arrival) for arrival in arrivals]
    if not instances:
        raise bad_request("body: the zip holds no files")
    if len({instance.study for instance in instances}) > 1:
        raise bad_request("body: the zip holds more than one study, send one zip per study")
    return instances


def _take_in(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, location: Path) -> Arrival:
    with zipped.open(member) as source:
        return take_in(source, location)


def _read(arrival: Arrival) -> Instance:
    try:
        header = pydicom.dcmread(arrival.location, stop_before_pixels=True, specific_tags=list(_READ))
        instance = Instance(arrival, *(_text(header, keyword) for keyword in _READ))
    except _UNREADABLE as error:
        raise bad_request("body: the zip holds a file that is not DICOM, leave it out") from error
    if not (instance.uid and instance.study and instance.series):
        raise bad_request("body: a DICOM file has no SOP, study or series instance UID")
    return instance


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
