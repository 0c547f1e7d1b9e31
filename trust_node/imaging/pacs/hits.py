"""What a PACS holds under an accession number, and which of it to take."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from trust_node.imaging.pacs.troubles import PacsError, Trouble, trouble_of

SUCCESS = 0x0000
LONGEST_ACCESSION = 16  # SH, PS3.5 6.2
WILDCARDS = frozenset("*?\\")
_UID = re.compile(r"(?=.{1,64}\Z)[0-9]+(\.[0-9]+)*")


class InvalidAccessionError(ValueError):
    """An accession number that could match more than one study, or none; nobody was asked."""


class SeveralStudiesError(ValueError):
    """Several studies carry one accession number and the trust's rule takes none of them; `matches` counts them."""

    def __init__(self, matches: int) -> None:
        super().__init__(f"{matches} studies carry this accession number: set several_studies, or choose at the trust")
        self.matches = matches


@dataclass(frozen=True, slots=True)
class StudyHit:
    """A study in the PACS, shown without anything that names it.

    `instances` is None where the PACS counts at no level. `date` and `time` are DICOM's own (`YYYYMMDD`,
    `HHMMSS.ffffff`), empty where the PACS does not tell; so are `modalities` and `sop_classes`.
    """

    study_uid: str = field(repr=False)
    instances: int | None
    date: str = field(default="", repr=False)
    time: str = field(default="", repr=False)
    modalities: tuple[str, ...] = ()
    series: int | None = None
    sop_classes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a retrieval ended: sub-operations by result, and the last status (PS3.4 C.4.2.1.5)."""

    completed: int
    failed: int
    warning: int
    status: int

    @property
    def refused(self) -> bool:
        """True if the PACS brought nothing because it may not or doesn't know where to."""
        return self.status != SUCCESS and not self.completed + self.warning

    @property
    def trouble(self) -> Trouble | None:
        """Why it was refused, if it was."""
        return trouble_of(self.status) if self.refused else None


class SeveralStudies(StrEnum):
    """What to do where several studies carry one accession number."""

    ALL = "all"
    NEWEST = "newest"
    REFUSE = "refuse"


def choose(hits: Sequence[StudyHit], rule: SeveralStudies) -> list[StudyHit]:
    """Return the studies to import.

    Raises
    ------
    SeveralStudiesError
        If the rule refuses, or if no single one is the newest by date and time.
    """
    if len(hits) <= 1 or rule is SeveralStudies.ALL:
        return list(hits)
    latest = max((hit.date, hit.time) for hit in hits)
    newest = [hit for hit in hits if (hit.date, hit.time) == latest]
    if rule is SeveralStudies.REFUSE or len(newest) > 1:
        raise SeveralStudiesError(len(hits))
    return newest


def exact_accession(accession: str) -> str:
    """Return an accession number that matches itself only.

    Raises
    ------
    InvalidAccessionError
        If it is empty, longer than 16 characters, or holds a wildcard, a control character or blanks around.
    """
    vague = not accession.strip() or WILDCARDS & set(accession) or not accession.isprintable()
    if vague or len(accession) > LONGEST_ACCESSION or accession != accession.strip():
        raise InvalidAccessionError("accession: 1 to 16 printable characters without *, ? or \\ and no blanks around")
    return accession


def valid_uid(uid: str) -> str:
    """Return a UID of PS3.5 9.1: it goes into queries, addresses and digests.

    Raises
    ------
    PacsError
        If it is none; the text does not show it.
    """
    if not _UID.fullmatch(uid):
        raise PacsError(Trouble.UNREADABLE, "a Study Instance UID that is none")
    return uid
