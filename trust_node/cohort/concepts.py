"""The lane of concept searches: words of a researcher, looked up in the trust's own vocabulary."""

from dataclasses import dataclass

from bus.lanes import Job, Lanes
from bus.uow import UnitOfWork
from schemas.trust import ConceptsFound, FindConcepts
from trust_node.cohort.frozen.away import unanswered
from trust_node.cohort.store import WarehouseError
from trust_node.cohort.vocabulary import Asked, Trouble, Wanted, search, vocabulary_trouble

LANE = "concepts"
WORKERS, ATTEMPTS = 2, 3
TROUBLES: dict[Trouble, str] = {
    "empty_vocabulary": "This trust's warehouse holds no vocabulary, so no concept is found and cohorts by concept are "
    "empty: its data manager has to load one.",
    "empty_hierarchy": "This trust's warehouse has an empty concept_ancestor, so no concept leads to descendants: its "
    "data manager has to load it.",
}
NO_WORDS = "words: give at least one letter or digit."


@dataclass(frozen=True, slots=True)
class ConceptLane:
    warehouse: Asked

    def join(self, lanes: Lanes) -> None:
        lanes.lane(LANE, on_failure=not_found, workers=WORKERS, attempts=ATTEMPTS)(self.work)

    async def work(self, message: FindConcepts, job: Job) -> None:
        try:
            found = await self._found(message)
        except WarehouseError as error:
            raise unanswered(error, last=job.attempts >= ATTEMPTS) from None
        async with job.done() as uow:
            uow.emit(found)

    async def _found(self, message: FindConcepts) -> ConceptsFound:
        if not any(letter.isalnum() for letter in message.words):
            return told(message, code="no_words", reason=NO_WORDS)
        trouble = await vocabulary_trouble(self.warehouse)
        catalogue = await self.warehouse.catalogue()
        about = {
            "vocabulary_version": catalogue.vocabulary_version and catalogue.vocabulary_version[:120],
            "code": trouble,
            "reason": TROUBLES[trouble] if trouble else None,
        }
        if trouble == "empty_vocabulary":
            return told(message, **about)
        return told(message, concepts=await search(self.warehouse, wanted(message), catalogue.tables), **about)


def wanted(message: FindConcepts) -> Wanted:
    return Wanted(message.words, message.domain, message.vocabulary, message.standard_only, message.limit)


def told(message: FindConcepts, **answered: object) -> ConceptsFound:
    asked = {"trust_id": message.trust_id, "search_id": message.search_id, "project_id": message.project_id}
    return ConceptsFound.model_validate(asked | answered)


def not_found(message: FindConcepts, uow: UnitOfWork, code: str, reason: str) -> None:
    uow.emit(told(message, code=code, reason=reason))
