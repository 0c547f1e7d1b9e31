"""What a run may use of a project's frozen cohort: who is still in it, and what the approved query says of them."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bus.errors import Rejection
from bus.lanes import Job
from schemas.sql.judge import Frame
from trust_node.cohort.freezing import approved
from trust_node.cohort.frozen import store
from trust_node.cohort.frozen.away import unanswered
from trust_node.cohort.frozen.covariates import Covariates
from trust_node.cohort.frozen.frames import covariates_of
from trust_node.cohort.frozen.looking import Looking
from trust_node.cohort.frozen.record import Frozen
from trust_node.cohort.frozen.shrinking import NOT_FROZEN, TOO_SMALL
from trust_node.cohort.store import WarehouseError


class GivesFrames(Protocol):
    """What is needed of the warehouse; raises WarehouseError."""

    def frame(self, rows: Frame) -> Awaitable[Sequence[tuple[Any, ...]]]: ...


@dataclass(frozen=True, slots=True)
class Using:
    """`key`: the trust's own, from which pseudonyms are drawn."""

    looking: Looking
    warehouse: GivesFrames
    key: bytes = field(repr=False)

    async def for_run(self, project_id: str, job: Job, *, last: bool) -> Covariates:
        """Look again who is there, then run a training frame again for them; return its columns, none of a list.

        Raises
        ------
        Rejection
            `not_frozen`, `too_small`, or the judge, as it is today, does not let the query through.
        Transient
            The warehouse gave no answer, and this is not the `last` attempt.
        """
        looked = await self.looking.shrinking.look(project_id, job, last=last)
        if looked is None:
            raise Rejection("not_frozen", NOT_FROZEN)
        if not looked.usable:
            raise Rejection("too_small", TOO_SMALL)
        try:
            return await self._covariates(looked.frozen, await store.sessions(job.pool, project_id))
        except WarehouseError as error:
            raise unanswered(error, last=last) from None

    async def for_task(self, project_id: str, job: Job) -> frozenset[str]:
        """Return the studies that a prepared run may see no more, by their pseudonyms in the archive.

        A look that has no answer changes nothing: the run goes on with those who were there at the last one.

        Raises
        ------
        Rejection
            `too_small`
        """
        standing = await self.looking.in_time(project_id, job)
        if standing is not None and not standing.usable:
            raise Rejection("too_small", TOO_SMALL)
        return await store.withdrawn(job.pool, project_id)

    async def _covariates(self, frozen: Frozen, sessions: Mapping[str, Sequence[str]]) -> Covariates:
        rows = approved(frozen.sql) if frozen.sql is not None else None
        if not isinstance(rows, Frame):
            return Covariates()
        return covariates_of(rows, await self.warehouse.frame(rows), sessions, self.key)
