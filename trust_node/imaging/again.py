"""Has studies brought in: their rows opened, a job for each, and a deadline after which silence has failed."""

from collections.abc import Sequence
from datetime import timedelta

from bus.uow import UnitOfWork, new_id
from trust_node import store
from trust_node.jobs import ImportStudy, SettleOverdue

PATIENCE = timedelta(days=14)
"""Longer than any queue behind the working hours of a PACS should be."""


async def again(
    uow: UnitOfWork, project_id: str, studies: Sequence[str], *, fresh: bool = False, patience: timedelta = PATIENCE
) -> None:
    """Bring these in, again or for the first time; ``fresh`` past what is here of them."""
    if not studies:
        return
    deadline = uow.now + patience
    await store.reopen(uow.connection, project_id, studies, deadline, fresh=fresh)
    for study in studies:
        uow.enqueue("imaging", ImportStudy(project_id=project_id, study=study))
    # a key of its own: jobs of one key wait for each other, and this one waits for weeks
    uow.enqueue("deadlines", SettleOverdue(project_id=project_id), key=new_id(), run_at=deadline)
