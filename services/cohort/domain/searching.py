"""Words looked up in the vocabularies of trusts."""

from collections.abc import Collection, Mapping

from bus.errors import Rejection
from schemas.cohort import ConceptsSought, SearchConcepts, SearchDeadlinePassed, TrustConcepts
from schemas.message import Message
from schemas.trust import ConceptsFound, FindConcepts
from services.cohort.domain.permission import require_known, require_open
from services.cohort.domain.state import Project, Search

TIMED_OUT = "The trust did not answer in time: its node may be down. Search again later."


def search(
    known: Search | None, command: SearchConcepts, project: Project | None, trusts: Collection[str]
) -> tuple[Search, list[Message]]:
    """Ask each trust, for a member of any project that is not closed; raises Rejection or Late."""
    if known is not None:
        raise Rejection("already_exists", "A search of this id exists already: choose another id.")
    require_open(command.actor, project)
    require_known(command.trusts, trusts)
    begun = Search(search_id=command.search_id, project_id=command.project_id, trusts=command.trusts)
    sought = command.model_dump(exclude={"actor", "trusts"})
    asked = [FindConcepts(trust_id=trust, **sought) for trust in begun.trusts]
    return begun, [ConceptsSought(**_ids(begun), trusts=begun.trusts), *asked]


def found(search: Search, told: ConceptsFound) -> tuple[Search, list[Message]]:
    """What a trust found; what comes twice, too late or unasked changes nothing."""
    if not search.awaits(told.trust_id):
        return search, []
    heard = _heard(search, {told.trust_id: len(told.concepts)})
    return heard, [TrustConcepts(**told.model_dump() | _ids(search))]


def deadline(search: Search) -> SearchDeadlinePassed:
    return SearchDeadlinePassed(**_ids(search))


def deadline_passed(search: Search) -> tuple[Search, list[Message]]:
    """Whoever has not answered is told of as timed out."""
    silent = search.silent
    told = [TrustConcepts(**_ids(search), trust_id=trust, code="timed_out", reason=TIMED_OUT) for trust in silent]
    return _heard(search, dict.fromkeys(silent)), [*told]


def _heard(search: Search, answers: Mapping[str, int | None]) -> Search:
    now = search.model_copy(update={"answers": {**search.answers, **answers}})
    return now if now.silent else now.model_copy(update={"closed": True})


def _ids(search: Search) -> dict[str, str]:
    return {"search_id": search.search_id, "project_id": search.project_id}
