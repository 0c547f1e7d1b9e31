"""C-ECHO and C-FIND: is the PACS there, and which studies carry an accession number (PS3.4 A, C.4.1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pydicom
from pydicom import Dataset
from pydicom.multival import MultiValue
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

from trust_node.imaging.pacs.deadline import LONGEST_QUERY_S, ends_within
from trust_node.imaging.pacs.hits import SUCCESS, StudyHit, valid_uid
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.troubles import PacsError, Trouble, trouble_of

# pydicom's warnings quote the value they complain about, and that value may name a patient.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE

PENDING = frozenset({0xFF00, 0xFF01})
MOST_ANSWERS = 10_000
STUDY_KEYS = (
    "StudyDate",
    "StudyTime",
    "ModalitiesInStudy",
    "SOPClassesInStudy",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)


def echo(peer: Peer) -> None:
    """Ask whether the PACS is there.

    Raises
    ------
    PacsError
        If it is not, or does not talk to us.
    """
    meter = Meter()
    with peer.association(Verification, meter=meter) as association, ends_within(LONGEST_QUERY_S, meter.cut):
        status = association.send_c_echo().get("Status")
    if status != SUCCESS:
        raise _failed(status)


def find_studies(peer: Peer, accession: str) -> list[StudyHit]:
    """Return the studies whose accession number is exactly this one, case included; it is used as it is.

    Raises
    ------
    PacsError
        If the PACS does not answer, refuses, or answers without end.
    """
    with _asking(peer) as asking:
        query = study_query("STUDY", AccessionNumber=accession, **dict.fromkeys(STUDY_KEYS, ""))
        found = asking.answers(query)
        exact = {_text(each, "StudyInstanceUID"): each for each in found if _text(each, "AccessionNumber") == accession}
        return [asking.hit(study) for study in exact.values()]


def accessions_on(peer: Peer, day: str) -> list[str]:
    """Return the accession numbers, as they are, of the studies of one day (`YYYYMMDD`); some may be empty.

    Raises
    ------
    PacsError
        If the PACS does not answer, refuses, or answers without end.
    """
    with _asking(peer) as asking:
        found = asking.answers(study_query("STUDY", StudyDate=day, AccessionNumber=""))
        return [_text(study, "AccessionNumber") for study in found]


@contextmanager
def _asking(peer: Peer) -> Iterator["_Asking"]:
    meter = Meter()
    model = StudyRootQueryRetrieveInformationModelFind
    with peer.association(model, meter=meter) as association, ends_within(LONGEST_QUERY_S, meter.cut):
        yield _Asking(association, meter)


def study_query(level: str, study_uid: str = "", **keys: str) -> Dataset:
    """Return an identifier that asks at this level; an empty key asks for its value."""
    query = Dataset()
    query.QueryRetrieveLevel = level
    query.StudyInstanceUID = study_uid
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query


@dataclass(frozen=True, slots=True)
class _Asking:
    """One association on which queries are made."""

    association: Association
    meter: Meter

    def answers(self, query: Dataset) -> list[Dataset]:
        found: list[Dataset] = []
        status = None
        for answer, identifier in self.association.send_c_find(query, StudyRootQueryRetrieveInformationModelFind):
            self.meter.handled()
            status = answer.get("Status")
            if status in PENDING:
                found.append(self._bounded(identifier, len(found)))
        if status != SUCCESS:
            raise _failed(status)
        return found

    def hit(self, study: Dataset) -> StudyHit:
        uid = valid_uid(_text(study, "StudyInstanceUID"))
        told = _number(study, "NumberOfStudyRelatedInstances")
        return StudyHit(
            study_uid=uid,
            instances=self._counted_by_series(uid) if told is None else told,
            date=_text(study, "StudyDate"),
            time=_text(study, "StudyTime"),
            modalities=_texts(study, "ModalitiesInStudy"),
            series=_number(study, "NumberOfStudyRelatedSeries"),
            sop_classes=_texts(study, "SOPClassesInStudy"),
        )

    def _counted_by_series(self, study_uid: str) -> int | None:
        query = study_query("SERIES", study_uid, SeriesInstanceUID="", NumberOfSeriesRelatedInstances="")
        counts = [_number(series, "NumberOfSeriesRelatedInstances") for series in self.answers(query)]
        told = [count for count in counts if count is not None]
        return sum(told) if told and len(told) == len(counts) else None

    def _bounded(self, identifier: Dataset | None, before: int) -> Dataset:
        if identifier is not None and before < MOST_ANSWERS:
            return identifier
        self.association.abort()
        raise PacsError(Trouble.UNREADABLE if identifier is None else Trouble.TOO_MUCH)


def _failed(status: int | None) -> PacsError:
    return PacsError(Trouble.CUT_OFF) if status is None else PacsError(trouble_of(status), f"status 0x{status:04X}")


def _texts(answer: Dataset, keyword: str) -> tuple[str, ...]:
    try:
        value = answer.get(keyword)
    except Exception as error:  # noqa: BLE001  values are decoded here: hostile bytes break that in any way
        raise PacsError(Trouble.UNREADABLE, type(error).__name__) from None
    values = value if isinstance(value, MultiValue) else [value]
    return tuple(str(each) for each in values if each not in (None, ""))


def _text(answer: Dataset, keyword: str) -> str:
    return "\\".join(_texts(answer, keyword))


def _number(answer: Dataset, keyword: str) -> int | None:
    text = _text(answer, keyword).strip()
    return int(text) if text.isascii() and text.isdigit() else None
