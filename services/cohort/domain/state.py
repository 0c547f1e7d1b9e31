"""What this service remembers: one document for each of these."""

from pydantic import BaseModel, ConfigDict

from schemas.cohort import Rule


class State(BaseModel):
    model_config = ConfigDict(frozen=True)


class Project(State):
    """A project as this service knows it from events; ``record``: sha256 of the text it was staged with."""

    members: tuple[str, ...]
    draft: bool = True
    record: str | None = None
    closed: bool = False


class Asked(State):
    """Something asked of several trusts: it is closed once each has answered, or its time is over.

    ``answers``: the number that each trust has told, of persons or of concepts; None where its answer has none.
    """

    project_id: str
    trusts: tuple[str, ...]
    answers: dict[str, int | None] = {}
    closed: bool = False

    def awaits(self, trust: str) -> bool:
        return not self.closed and trust in self.silent

    @property
    def silent(self) -> tuple[str, ...]:
        return tuple(trust for trust in self.trusts if trust not in self.answers)


class Query(Asked):
    """One query, and the studies that each trust has released beside its persons."""

    query_id: str
    sql: str
    studies: dict[str, int] = {}
    criteria: str | None = None
    rules: tuple[Rule, ...] = ()
    statistics: tuple[str, ...] = ()
    cohort: str | None = None
    version: int | None = None
    repeats: str | None = None
    submitted_by: str | None = None


class Search(Asked):
    """Words looked up in the vocabularies of trusts."""

    search_id: str
