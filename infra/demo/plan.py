"""Which slices become which study of whom, at which trust. Pure: the same arguments give the same plan."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from infra.demo.identity import Identity, draw_uid, invent_identity
from infra.demo.people import Person

SLICES_PER_SERIES = 5
STUDIES_PER_TRUST = 16
STUDIES_OF_THE_YOUNG = 2
YOUNG_SINCE = 2000
BROKEN, AMBIGUOUS = 3, 7
MOST_TRUSTS = 4  # more would need the same slices twice, and held-out slices would no longer be held out

Fate = Literal["whole", "broken", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Source:
    """The middle of one real series: `usable` slices from the `first` (the ends of a head are mostly air)."""

    label: str
    archive: str
    number: int
    slices: int
    first: int
    usable: int

    @property
    def folder(self) -> str:
        return f"{self.archive}-{self.number}"


SOURCES = (
    Source("FLAIR", "anonymiz", 5, 64, first=4, usable=55),
    Source("T1_SE", "case001", 2, 20, first=0, usable=20),
    Source("T1_SE", "case001", 8, 20, first=0, usable=20),
    Source("T1_SE", "case001", 10, 20, first=0, usable=20),
    Source("PD", "anonymiz", 3, 90, first=7, usable=75),
    Source("SPGR", "case001", 5, 60, first=7, usable=45),
    Source("SPGR", "case001", 6, 60, first=7, usable=45),
    Source("SPGR", "case001", 7, 60, first=7, usable=45),
    Source("T1_GRE", "anonymiz", 6, 192, first=21, usable=150),
)
LABELS = tuple(dict.fromkeys(source.label for source in SOURCES))


@dataclass(frozen=True, slots=True)
class Run:
    """Every `step`-th slice of one real series, counted along its normal: a thinner series of the whole head."""

    source: Source
    first: int
    step: int

    def slice_at(self, place: int) -> int:
        return self.first + place * self.step


@dataclass(frozen=True, slots=True)
class PlannedSeries:
    number: int
    uid: str
    run: Run
    instance_uids: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.run.source.label


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """One study of one person. `broken`: in OMOP, absent from the PACS; `ambiguous`: shares its accession."""

    trust: str
    fate: Fate
    person: Person
    identity: Identity
    uid: str
    frame_uid: str
    series: tuple[PlannedSeries, ...]

    @property
    def in_pacs(self) -> bool:
        return self.fate != "broken"

    @property
    def slices(self) -> int:
        return sum(len(series.instance_uids) for series in self.series)


def plan(trusts: list[str], people: dict[str, tuple[Person, ...]], seed: str = "demo") -> list[PlannedStudy]:
    """Plan 16 accessions per trust: 14 whole, 1 broken, 1 ambiguous (two studies), 1-2 series of 5 slices each.

    No slice is used twice. Each trust lacks two of the five labels, so that none can learn all of them alone.

    Raises
    ------
    ValueError
        More trusts than the slices suffice for, or a trust with too few people.
    """
    if len(trusts) > MOST_TRUSTS:
        raise ValueError(f"{len(trusts)} trusts asked for; the demo's slices suffice for {MOST_TRUSTS}: lower TRUSTS")
    return [
        study
        for place, trust in enumerate(trusts)
        for study in _plan_trust(trust, people[trust], _deck(place, len(trusts)), seed)
    ]


def labels_at(place: int) -> tuple[str, ...]:
    """Return the labels that the trust at this place in the list has: all but two."""
    lacking = {LABELS[(2 * place + step) % len(LABELS)] for step in (0, 1)}
    return tuple(label for label in LABELS if label not in lacking)


def canaries(studies: list[PlannedStudy]) -> list[str]:
    """Return every planted string that must never leave a trust: names, birth dates, numbers, UIDs."""
    return sorted({text for study in studies for text in _canaries_of(study)})


def _canaries_of(study: PlannedStudy) -> Iterator[str]:
    yield from study.identity.strings()
    yield from (study.person.born.strftime("%Y%m%d"), study.person.born.isoformat())
    yield from (study.uid, study.frame_uid)
    for series in study.series:
        yield from (series.uid, *series.instance_uids)


def _plan_trust(
    trust: str, people: tuple[Person, ...], deck: dict[str, list[Run]], seed: str
) -> Iterator[PlannedStudy]:
    hands = _deal(deck)
    for place, person in enumerate(_choose_people(trust, people)):
        key, fate = f"{seed}/{trust}/{place}", _fate(place)
        first = _study(trust, person, invent_identity(key, person.id), f"{key}/0", next(hands))
        yield replace(first, fate=fate)
        if fate == "ambiguous":
            yield replace(_study(trust, person, first.identity, f"{key}/1", next(hands)), fate=fate)


def _fate(place: int) -> Fate:
    fates: dict[int, Fate] = {BROKEN: "broken", AMBIGUOUS: "ambiguous"}
    return fates.get(place, "whole")


def _choose_people(trust: str, people: tuple[Person, ...]) -> list[Person]:
    older = [person for person in people if person.born.year < YOUNG_SINCE]
    young = [person for person in people if person.born.year >= YOUNG_SINCE]
    count = STUDIES_PER_TRUST - STUDIES_OF_THE_YOUNG
    if len(older) < count or len(young) < STUDIES_OF_THE_YOUNG:
        raise ValueError(f"people of {trust}: need {count} born before {YOUNG_SINCE} and {STUDIES_OF_THE_YOUNG} after")
    return older[:count] + young[:STUDIES_OF_THE_YOUNG]


def _deck(place: int, trusts: int) -> dict[str, list[Run]]:
    """Return the trust's own runs by label: every n-th of those shared with the n trusts that have the label."""
    deck = {}
    for label in labels_at(place):
        holders = [other for other in range(trusts) if label in labels_at(other)]
        deck[label] = _runs(label)[holders.index(place) :: len(holders)]
    return deck


def _runs(label: str) -> list[Run]:
    return [
        Run(source, source.first + offset, source.usable // SLICES_PER_SERIES)
        for source in SOURCES
        if source.label == label
        for offset in range(source.usable // SLICES_PER_SERIES)
    ]


def _deal(deck: dict[str, list[Run]]) -> Iterator[list[Run]]:
    """Deal one run to every study and, while enough are left, a second one to every other study."""
    studies = STUDIES_PER_TRUST + 1
    spare = sum(map(len, deck.values())) - studies
    for place in range(studies):
        second = place % 2 == 1 and spare > 0
        spare -= second
        yield [_draw(deck, place + step) for step in range(2 if second else 1)]


def _draw(deck: dict[str, list[Run]], turn: int) -> Run:
    wanted = list(deck)[turn % len(deck)]
    fullest = max(deck, key=lambda label: len(deck[label]))
    return deck[wanted if deck[wanted] else fullest].pop(0)


def _study(trust: str, person: Person, identity: Identity, key: str, runs: list[Run]) -> PlannedStudy:
    series = tuple(_series(number, run, f"{key}/{number}") for number, run in enumerate(runs, start=1))
    return PlannedStudy(
        trust=trust,
        fate="whole",
        person=person,
        identity=identity,
        uid=draw_uid(f"{key}/study"),
        frame_uid=draw_uid(f"{key}/frame"),
        series=series,
    )


def _series(number: int, run: Run, key: str) -> PlannedSeries:
    instances = tuple(draw_uid(f"{key}/slice/{place}") for place in range(SLICES_PER_SERIES))
    return PlannedSeries(number, draw_uid(f"{key}/series"), run, instances)
