"""One kind of event as SQL: where its rows come from, and the conditions on them."""

# ruff: noqa: S608  literals are numbers and dates only, names come from the table of domains
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.criteria.domains import IMAGE_DOMAIN, Domain
from schemas.criteria.events import Chosen, Event
from schemas.criteria.ranges import Part
from schemas.criteria.text import both, in_range, some
from schemas.criteria.vocabulary import ConceptSets, one_of


@dataclass(frozen=True, slots=True)
class Anchor:
    """An event that others are placed around: SQL for its person, first and last day, and observation period."""

    person: str
    start: str
    end: str
    seen_from: str
    seen_to: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one event under an alias: `source` goes into FROM, `conditions` into WHERE."""

    alias: str
    domain: Domain
    source: str
    conditions: tuple[str, ...]

    @property
    def start(self) -> str:
        return f"{self.alias}.{self.domain.start}"

    @property
    def end(self) -> str:
        return last_day(self.domain, self.alias)


def last_day(domain: Domain, alias: str) -> str:
    next_day = f"{alias}.{domain.start} + 1"
    if domain.end is None:
        return next_day
    end = f"{alias}.{domain.end}"
    return f"COALESCE({end}, {next_day})" if domain.end_optional else end


def rows_of(chosen: Chosen, alias: str, sets: ConceptSets) -> Rows:
    """Return the rows of the event with its own attributes; nested criteria are the caller's."""
    domain, event = chosen.domain, chosen.event
    coded = list(_coded(domain, event, "c" if event.first else alias, sets))
    attributes = [*_codes(domain, event, alias, sets), *_ranges(domain, event, alias)]
    attributes += [*_visit(domain, event, alias, sets), *_person(domain, event, alias, sets)]
    if not event.first:
        return Rows(alias, domain, f"{domain.table} {alias}", (*coded, *attributes))
    return Rows(alias, domain, f"({_first(domain, coded)}) {alias}", (f"{alias}.nth = 1", *attributes))


def _first(domain: Domain, coded: list[str]) -> str:
    """Number each person's rows of the concept set by date, so that the first can be taken."""
    columns = ", ".join(f"c.{column}" for column in _columns(domain))
    order = f"row_number() OVER (PARTITION BY c.person_id ORDER BY c.{domain.start}, c.{domain.key}) AS nth"
    return f"SELECT {columns}, {order} FROM {domain.table} c WHERE {both(coded)}"


def _columns(domain: Domain) -> list[str]:
    ends = [domain.end] if domain.end else []
    visit = ["visit_occurrence_id"] if domain.in_visit else []
    image = ["accession_id"] if domain is IMAGE_DOMAIN else []
    codes = {*domain.codes.values(), *domain.numbers.values(), domain.concept} - {domain.start}
    return ["person_id", domain.start, *ends, *visit, *image, *sorted(codes)]


def _coded(domain: Domain, event: Event, alias: str, sets: ConceptSets) -> Iterator[str]:
    if event.codeset_id is not None:
        yield sets.holds(f"{alias}.{domain.concept}", event.codeset_id)
    if domain.source and event.given(domain.source[0]) is not None:
        yield sets.holds(f"{alias}.{domain.source[1]}", event.given(domain.source[0]))


def _codes(domain: Domain, event: Event, alias: str, sets: ConceptSets) -> Iterator[str]:
    for name, column in domain.codes.items():
        exclude = bool(event.given(f"{name}Exclude"))
        yield from concepts_in(event, name, f"{alias}.{column}", sets, exclude=exclude)
    if event.given("AccessionPresent") is not None:
        yield f"{alias}.accession_id IS {'NOT ' if event.given('AccessionPresent') else ''}NULL"


def concepts_in(part: Part, name: str, column: str, sets: ConceptSets, *, exclude: bool = False) -> Iterator[str]:
    """Yield the conditions of an attribute that is a list of concepts, a choice of a concept set, or both."""
    if part.given(name) is not None:
        yield one_of(column, part.given(name), exclude=exclude)
    if part.given(f"{name}CS") is not None:
        yield sets.chosen(column, part.given(f"{name}CS"))


def _ranges(domain: Domain, event: Event, alias: str) -> Iterator[str]:
    start, end = f"{alias}.{domain.start}", last_day(domain, alias)
    columns = {name: f"{alias}.{column}" for name, column in domain.numbers.items()}
    columns |= {domain.dates[0]: start, domain.dates[1]: end}
    columns |= {domain.length: f"{end} - {start}"} if domain.length else {}
    for name, column in columns.items():
        if event.given(name) is not None:
            yield in_range(column, event.given(name))


def _visit(domain: Domain, event: Event, alias: str, sets: ConceptSets) -> Iterator[str]:
    if not domain.in_visit:
        return
    kinds = list(concepts_in(event, "VisitType", "v.visit_concept_id", sets))
    if kinds:
        own = f"v.person_id = {alias}.person_id AND v.visit_occurrence_id = {alias}.visit_occurrence_id"
        yield some(f"FROM visit_occurrence v WHERE {own} AND {both(kinds)}")


def _person(domain: Domain, event: Event, alias: str, sets: ConceptSets) -> Iterator[str]:
    days = {
        name: last_day(domain, alias) if at_end else f"{alias}.{domain.start}" for name, at_end in domain.ages.items()
    }
    tests = [in_range(age(when), event.given(name)) for name, when in days.items() if event.given(name) is not None]
    tests += concepts_in(event, "Gender", "p.gender_concept_id", sets)
    if tests:
        yield person_with(f"{alias}.person_id", tests)


def age(when: str) -> str:
    """Years between the calendar year of birth and that of the event, as Circe counts them."""
    return f"extract(year FROM {when}) - p.year_of_birth"


def person_with(person: str, tests: list[str]) -> str:
    return some(f"FROM person p WHERE p.person_id = {person} AND {both(tests)}")
