"""The hospital's PACS, asked over DICOM: which studies carry an accession number; bring them (PS3.4 C)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

from trust_node.imaging.sockets import PROMPT_HANDLERS, keep_answers

SUCCESS = 0x0000
PENDING = frozenset({0xFF00, 0xFF01})
DESTINATION_UNKNOWN = 0xA801
LONGEST_ACCESSION = 16  # SH, PS3.5 6.2
WILDCARDS = frozenset("*?\\")


class InvalidAccessionError(ValueError):
    """An accession number that could match more than one study, or none; nobody was asked."""


class PacsError(Exception):
    """The PACS could not be asked or gave up half-way; trying again later may help."""


@dataclass(frozen=True, slots=True)
class StudyHit:
    """A study in the PACS. `instances` is None where the PACS counts at no level."""

    study_uid: str
    instances: int | None


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """How a C-MOVE ended: sub-operations by result, and the last status (PS3.4 C.4.2.1.5)."""

    completed: int
    failed: int
    warning: int
    status: int

    @property
    def refused(self) -> bool:
        """True if the PACS brought nothing because it may not or doesn't know where to."""
        return self.status != SUCCESS and not self.completed + self.warning


@dataclass(frozen=True, slots=True)
class Pacs:
    """Where the PACS is and how both sides are called; `timeout_s` bounds each wait for an answer.

    Every call opens an association of its own in a thread, so the event loop stays free.
    """

    host: str
    port: int
    title: str
    our_title: str
    timeout_s: float = 60.0

    async def find_studies(self, accession: str) -> list[StudyHit]:
        """Return the studies whose accession number is exactly `accession`, case included.

        Raises
        ------
        InvalidAccessionError
            If it is empty, longer than 16 characters, or holds a wildcard; no association is opened.
        PacsError
            If the PACS does not answer or refuses.
        """
        _reject_vague(accession)
        return await asyncio.to_thread(self._find_studies, accession)

    async def move(self, study_uid: str, destination_aet: str) -> MoveOutcome:
        """Have the PACS send the study to `destination_aet`, which it must know.

        Raises
        ------
        PacsError
            If the PACS does not answer or refuses the association.
        """
        return await asyncio.to_thread(self._move, study_uid, destination_aet)

    def _find_studies(self, accession: str) -> list[StudyHit]:
        with self._association(StudyRootQueryRetrieveInformationModelFind) as association:
            query = _query("STUDY", AccessionNumber=accession, NumberOfStudyRelatedInstances="")
            found = list(_find(association, query))
            exact = [study for study in found if str(study.get("AccessionNumber") or "") == accession]
            return [_hit(association, study) for study in exact]

    def _move(self, study_uid: str, destination_aet: str) -> MoveOutcome:
        model = StudyRootQueryRetrieveInformationModelMove
        with self._association(model) as association:
            last = Dataset()
            for status, _ in association.send_c_move(_query("STUDY", study_uid), destination_aet, model):
                last = status
        if "Status" not in last:
            raise PacsError("no answer to C-MOVE: the PACS closed the association or was too slow")
        return _outcome(last)

    @contextmanager
    def _association(self, model: str) -> Iterator[Association]:
        entity = AE(ae_title=self.our_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self.timeout_s
        entity.connection_timeout = self.timeout_s
        entity.add_requested_context(model)
        association = entity.associate(self.host, self.port, ae_title=self.title, evt_handlers=list(PROMPT_HANDLERS))
        if not association.is_established:
            raise PacsError(f"{self.title} at {self.host}:{self.port} refuses the association of {self.our_title}")
        keep_answers(association)
        try:
            yield association
        finally:
            association.release()


def _reject_vague(accession: str) -> None:
    vague = not accession.strip() or WILDCARDS & set(accession) or not accession.isprintable()
    if vague or len(accession) > LONGEST_ACCESSION or accession != accession.strip():
        raise InvalidAccessionError("accession: 1 to 16 printable characters without *, ? or \\ and no blanks around")


def _query(level: str, study_uid: str = "", **keys: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    query.StudyInstanceUID = study_uid
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query


def _find(association: Association, query: Dataset) -> Iterator[Dataset]:
    status = None
    for answer, identifier in association.send_c_find(query, StudyRootQueryRetrieveInformationModelFind):
        status = answer.get("Status")
        if status in PENDING and identifier is not None:
            yield identifier
    if status != SUCCESS:
        raise PacsError("C-FIND did not end well: " + ("no answer" if status is None else f"0x{status:04X}"))


def _hit(association: Association, study: Dataset) -> StudyHit:
    uid = str(study.StudyInstanceUID)
    told = study.get("NumberOfStudyRelatedInstances")
    return StudyHit(uid, _counted_by_series(association, uid) if told in (None, "") else int(told))


def _counted_by_series(association: Association, study_uid: str) -> int | None:
    query = _query("SERIES", study_uid, SeriesInstanceUID="", NumberOfSeriesRelatedInstances="")
    counts = [series.get("NumberOfSeriesRelatedInstances") for series in _find(association, query)]
    if not counts or any(count in (None, "") for count in counts):
        return None
    return sum(int(count) for count in counts if count is not None)


def _outcome(status: Dataset) -> MoveOutcome:
    def count(result: str) -> int:
        return int(status.get(f"NumberOf{result}Suboperations") or 0)

    return MoveOutcome(count("Completed"), count("Failed"), count("Warning"), int(status.Status))
