"""What was planted at a trust, and what became of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from schemas.views import TrustImport
from tests.e2e.planted_studies import FAULTS, SLICES, Planted


@dataclass(frozen=True, slots=True)
class End:
    """What the trust's own database says of a study at last."""

    settled: bool
    state: str
    code: str | None
    rest: str | None
    attempt: int
    held: Mapping[str, int]

    @property
    def arrived(self) -> bool:
        return self.settled and self.code is None and self.rest is None

    @property
    def reasons(self) -> set[str]:
        """Every word by which it is named as not arrived."""
        return {*([self.code] if self.code else ()), *self.held}


@dataclass(slots=True)
class Outcome:
    """What was planted, and what became of it."""

    project_id: str
    studies: Sequence[Planted]
    ends: Mapping[str, End]
    archived: Mapping[str, int]
    expected: Mapping[str, str]
    told: TrustImport
    kills: int
    seconds: float

    def check(self) -> list[str]:
        """Everything that is not as it should be, in words; nothing if all is well."""
        return [*self._unlike_what_was_planted(), *self._archived_otherwise(), *self._told_otherwise()]

    def _unlike_what_was_planted(self) -> list[str]:
        return [
            f"{study.accession} ({study.fault or 'good'}) ended as {self.ends[study.accession]}"
            for study in self.studies
            if not _as_planted(study, self.ends[study.accession])
        ]

    def _archived_otherwise(self) -> list[str]:
        wanted = dict.fromkeys((self.expected[study.accession] for study in self.studies if not study.fault), SLICES)
        held = {session for session in self.archived if self.archived[session] < SLICES} - wanted.keys()
        strange = {session for session in self.archived if session not in wanted} - held
        missing = [session for session, images in wanted.items() if self.archived.get(session) != images]
        return [f"archived although broken: {one}" for one in strange] + [
            f"not whole in the archive: {one}" for one in missing
        ]

    def _told_otherwise(self) -> list[str]:
        good = sum(not study.fault for study in self.studies)
        tally = self.told.tally
        told = (tally.asked, tally.archived - tally.held, tally.failed + tally.held, self.told.finished)
        wanted = (len(self.studies), good, len(self.studies) - good, True)
        return [] if told == wanted else [f"the hub was told {told}, not {wanted}"]

    def table(self) -> Table:
        made = Table(
            title=f"{len(self.studies)} studies, {self.kills} kills, PACS and archive restarted: {self.seconds:.0f} s",
            title_justify="left",
        )
        for column in ("planted", "studies", "arrived", "named", "most attempts"):
            made.add_column(column)
        for fault in (None, *FAULTS):
            ends = [self.ends[study.accession] for study in self.studies if study.fault == fault]
            named = Counter(reason for end in ends for reason in end.reasons)
            words = ", ".join(f"{reason} {count}" for reason, count in sorted(named.items()))
            attempts = max((end.attempt for end in ends), default=0)
            made.add_row(fault or "good", str(len(ends)), str(sum(end.arrived for end in ends)), words, str(attempts))
        return made


def _as_planted(study: Planted, end: End) -> bool:
    if study.fault is None:
        return end.arrived
    return end.settled and not end.arrived and bool(end.reasons & FAULTS[study.fault])
