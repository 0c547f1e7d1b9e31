"""The queries that run in this process, so that one that nobody waits for any more can be stopped."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bus.errors import Rejection
from trust_node.cohort.telling import CANCELLED

T = TypeVar("T")


class CancelledQuery(Rejection):
    def __init__(self) -> None:
        super().__init__("cancelled", CANCELLED)


@dataclass(slots=True)
class Running:
    """One task per query. A query is cancelled even if it begins only a moment later."""

    _tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    _unwanted: set[str] = field(default_factory=set)

    async def run(self, query_id: str, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns.

        Raises
        ------
        CancelledQuery
            The query was cancelled, before or meanwhile; `work` has ended.
        """
        task = asyncio.create_task(work)
        self._tasks[query_id] = task
        if query_id in self._unwanted:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if query_id in self._unwanted and not _is_cancelled_itself():
                raise CancelledQuery from None
            raise
        finally:
            del self._tasks[query_id]

    async def cancel(self, query_id: str) -> None:
        """Return once the query has ended, or at once if it is still to begin."""
        self._unwanted.add(query_id)
        if task := self._tasks.get(query_id):
            task.cancel()
            await asyncio.wait({task})

    def forget(self, query_id: str) -> None:
        """Drop what is known of a query that will not run any more."""
        self._unwanted.discard(query_id)


def _is_cancelled_itself() -> bool:
    """Whether the process stops: then nobody may tell the query from any other work."""
    mine = asyncio.current_task()
    return mine is not None and mine.cancelling() > 0
