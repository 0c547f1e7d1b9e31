"""The sentences of a count, in one place: fixed text and the query's own id, never a word of the warehouse."""

from schemas.cohort import Spent
from schemas.trust import CancelCount, CohortCounted, CountAdvanced, CountCohort
from trust_node.cohort.asking import RefusedError
from trust_node.cohort.release import BudgetSpentError
from trust_node.cohort.warehouse.faults import WarehouseError, WarehouseFault

CANCELLED = "Whoever asked has cancelled the query: nothing is told of its answer."
TOO_LATE = "The time for an answer was over before there was one: ask again, or ask for less at once."
TOO_MANY_WAITING = "So many queries of this project wait at this trust already: wait for their answers, or cancel some."
NO_CELLS = "Too few persons in each group, or the warehouse does not hold this."
NOT_HELD = "The warehouse gave no answer to this: it does not hold it, or it took too long."
TOO_FINE = "A group of it has too many levels: ask for wider ones."
SPENT = "The budget of answers is spent: ask for fewer statistics, or again when there is a new one."

REFUSED = frozenset({WarehouseFault.TOO_COSTLY, WarehouseFault.COLUMN_ABSENT})
"""Faults of the query, for whoever asked to mend; all others are the trust's."""


def counted(message: CountCohort | CancelCount, **answered: object) -> CohortCounted:
    asked = {"trust_id": message.trust_id, "query_id": message.query_id, "project_id": message.project_id}
    return CohortCounted.model_validate(asked | answered)


def failed(message: CountCohort | CancelCount, code: str, reason: str) -> CohortCounted:
    return counted(message, outcome="failed", code=code, reason=reason)


def refused(message: CountCohort, refusal: RefusedError) -> CohortCounted:
    return counted(
        message,
        outcome="refused",
        code=refusal.code,
        reason=refusal.reason,
        line=refusal.line,
        column=refusal.column,
    )


def without_answer(message: CountCohort, error: WarehouseError) -> CohortCounted:
    """The query's id is what the trust's data manager finds the fault by, in the node's log."""
    outcome = "refused" if error.fault in REFUSED else "failed"
    reason = f"{error.sentence} (query {message.query_id})"
    return counted(message, outcome=outcome, code=error.fault.value, reason=reason)


def budget_spent(message: CountCohort, error: BudgetSpentError, spent: Spent) -> CohortCounted:
    return counted(message, outcome="refused", code=error.code, reason=str(error), spent=spent)


def advanced(message: CountCohort, done: int, parts: int, *, waiting: bool = False) -> CountAdvanced:
    return CountAdvanced(
        trust_id=message.trust_id,
        query_id=message.query_id,
        project_id=message.project_id,
        done=done,
        parts=parts,
        waiting=waiting,
    )
