"""What the hub asks of a trust, and what the trust answers on its own policy's word. No database is needed."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bus.proof.signing import Author
from bus.router import Router
from bus.uow import UnitOfWork
from schemas.manifest import DownloadGrant, Part, manifest_of
from schemas.message import Message
from schemas.trust import (
    CancelCount,
    CohortCounted,
    CohortNotFixed,
    CountAdvanced,
    CountCohort,
    FindConcepts,
    FreezeCohort,
    PrepareRun,
    RunRefused,
    RunTask,
)
from schemas.trust_imaging import CompareImport, PurgeProject, SetMembers
from trust_node.handlers import routes
from trust_node.imaging.asks import Asks
from trust_node.policy import Policy

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DIGEST = "ab" * 32
BUNDLE = DownloadGrant(
    manifest=manifest_of("bundles/b1", [Part(index=0, size=3, sha256=DIGEST)]), urls=("http://o/b1",), expires_at=NOW
)

COUNT = CountCohort(trust_id="amber", query_id="q1", project_id="p1", sql="select 1")


def freeze(approver: str) -> FreezeCohort:
    return FreezeCohort(
        trust_id="amber",
        project_id="p1",
        query_id="q1",
        sql="select 1",
        approved_by=approver,
        request_digest=DIGEST,
    )


def prepare(approver: str) -> PrepareRun:
    return PrepareRun(
        trust_id="amber",
        run_id="r1",
        project_id="p1",
        model_id="m1",
        bundle=BUNDLE,
        bundle_sha256=DIGEST,
        approved_by=approver,
    )


@pytest.fixture
def router() -> Router:
    return routes(Policy(approvers=("bob",)), Asks("amber"))


@dataclass
class Lane:
    """A database that only knows how many jobs a lane has."""

    running: int = 0
    own: int = 0

    async def fetchrow(self, _sql: str, *_values: str) -> dict[str, int]:
        return {"running": self.running, "own": self.own}


async def handled(router: Router, command: Message, lane: Lane | None = None) -> UnitOfWork:
    uow = UnitOfWork(lane or Lane(), Author("trust-amber"), NOW)
    handler = router.handler(command.type)
    assert handler is not None
    await handler(command, uow)
    return uow


@pytest.mark.parametrize(("command", "lane"), [(freeze("bob"), "freezing"), (prepare("bob"), "training")])
async def test_what_our_own_approver_approved_becomes_a_job(router: Router, command: Message, lane: str) -> None:
    uow = await handled(router, command)
    assert (lane, command, command.key) in [(job.lane, job.message, job.key) for job in uow.jobs]
    assert uow.outbox == []


@pytest.mark.parametrize("approver", ["ada", "bob2", "bo", "admin"])
async def test_a_cohort_that_a_stranger_approved_is_not_frozen(router: Router, approver: str) -> None:
    uow = await handled(router, freeze(approver))
    (row,) = uow.outbox
    told = CohortNotFixed.parse(row.value)
    assert (uow.jobs, row.topic, told.code, told.query_id) == ([], "trust.amber.events", "not_our_approver", "q1")


async def test_code_that_a_stranger_approved_does_not_run(router: Router) -> None:
    uow = await handled(router, prepare("ada"))
    (row,) = uow.outbox
    told = RunRefused.parse(row.value)
    assert (uow.jobs, told.code, told.run_id) == ([], "not_our_approver", "r1")


@pytest.mark.parametrize(
    ("command", "lane"),
    [
        (CompareImport(trust_id="amber", project_id="p1"), "imports"),
        (PurgeProject(trust_id="amber", project_id="p1"), "imports"),
        (SetMembers(trust_id="amber", project_id="p1", project_name="Knees", members=("ada",)), "people"),
        (FindConcepts(trust_id="amber", search_id="s1", project_id="p1", words="knee"), "concepts"),
    ],
)
async def test_what_takes_long_is_a_job(router: Router, command: Message, lane: str) -> None:
    assert [(job.lane, job.message) for job in (await handled(router, command)).jobs] == [(lane, command)]


async def test_a_query_takes_its_projects_turn_and_hears_if_others_are_before_it(router: Router) -> None:
    free, busy, own = [await handled(router, COUNT, lane) for lane in (Lane(), Lane(running=4), Lane(own=2))]
    assert [(job.lane, job.turn_of) for uow in (free, busy, own) for job in uow.jobs] == [("cohort", "p1")] * 3
    assert free.outbox == []
    for uow in (busy, own):
        told = CountAdvanced.parse(uow.outbox[0].value)
        assert (told.done, told.parts, told.waiting) == (0, 1, True)


async def test_a_project_can_not_fill_the_queue(router: Router) -> None:
    uow = await handled(router, COUNT, Lane(own=50))
    told = CohortCounted.parse(uow.outbox[0].value)
    assert (uow.jobs, told.outcome, told.code) == ([], "refused", "too_many_queries")


async def test_a_query_is_cancelled_by_another_lane_than_its_own(router: Router) -> None:
    uow = await handled(router, CancelCount(trust_id="amber", query_id="q1", project_id="p1"))
    assert [(job.lane, job.key) for job in uow.jobs] == [("cancelling", "q1")]


async def test_long_work_never_runs_in_a_handler(router: Router) -> None:
    task = RunTask(trust_id="amber", run_id="r1", round=1, kind="train", seed=0, config={}, deadline_at=NOW)
    assert [job.lane for job in (await handled(router, COUNT)).jobs] == ["cohort"]
    assert [job.lane for job in (await handled(router, task)).jobs] == ["training"]


def test_every_command_of_the_hub_has_a_handler(router: Router) -> None:
    from infra.contract.language import message_types

    commands = {message.type for message in message_types() if message.topic_template == "trust.{trust_id}.commands"}
    assert router.types == commands
