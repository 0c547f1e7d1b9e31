"""What concerns nobody here costs no transaction; what can't be read is never taken for such."""

import pytest

from bus.answers import Answers
from bus.inbox import Inbox
from bus.router import Router
from bus.uow import UnitOfWork
from schemas.training import RunDeadlinePassed
from schemas.trust import EndRun
from tests.unit.bus.recorded import record_of

END = EndRun(trust_id="amber", run_id="r1")
PASSED = RunDeadlinePassed(run_id="r1", phase="training-1-1")


class Touched(Exception):
    """A transaction was begun."""


class NoDatabase:
    def acquire(self) -> None:
        raise Touched


def inbox() -> Inbox:
    router = Router()

    @router.on(EndRun)
    async def handle(message: EndRun, uow: UnitOfWork) -> None: ...

    return Inbox("node", router, Answers("node"))


async def test_what_nobody_handles_is_passed_over_without_a_transaction() -> None:
    applied = await inbox().apply(NoDatabase(), [record_of(PASSED), record_of(PASSED)])
    assert (applied.next_offset, applied.stuck, applied.handled) == (8, False, 0)


async def test_one_record_that_is_handled_takes_the_whole_batch_into_a_transaction() -> None:
    with pytest.raises(Touched):
        await inbox().apply(NoDatabase(), [record_of(PASSED), record_of(END)])


@pytest.mark.parametrize("headers", [{"type": b"trustflow.training.unheard_of.v1"}, {"subject": b"another"}])
async def test_what_cannot_be_read_is_put_aside_and_not_passed_over(headers: dict[str, bytes]) -> None:
    with pytest.raises(Touched):
        await inbox().apply(NoDatabase(), [record_of(PASSED, **headers)])
