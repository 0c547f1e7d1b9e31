"""What the hub asks of a trust, and what the trust answers on its own policy's word. No database is needed."""

from datetime import UTC, datetime

import pytest

from bus.proof.signing import Author
from bus.router import Router
from bus.uow import UnitOfWork
from schemas.manifest import DownloadGrant, Part, manifest_of
from schemas.message import Message
from schemas.trust import CohortNotFixed, CountCohort, FreezeCohort, PrepareRun, RunRefused, RunTask
from schemas.trust_imaging import CompareImport, PurgeProject, SetMembers
from trust_node.handlers import routes
from trust_node.imaging.asks import Asks
from trust_node.imaging.deid import DeidKeys
from trust_node.policy import Policy

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DIGEST = "ab" * 32
BUNDLE = DownloadGrant(
    manifest=manifest_of("bundles/b1", [Part(index=0, size=3, sha256=DIGEST)]), urls=("http://o/b1",), expires_at=NOW
)


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
    return routes(Policy(approvers=("bob",)), DeidKeys(b"k" * 64), Asks("amber"))


async def handled(router: Router, command: Message) -> UnitOfWork:
    uow = UnitOfWork(None, Author("trust-amber"), NOW)
    handler = router.handler(command.type)
    assert handler is not None
    await handler(command, uow)
    return uow


@pytest.mark.parametrize(("command", "lane"), [(freeze("bob"), "cohort"), (prepare("bob"), "training")])
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
    ],
)
async def test_what_concerns_a_whole_project_is_a_job(router: Router, command: Message, lane: str) -> None:
    assert [(job.lane, job.message) for job in (await handled(router, command)).jobs] == [(lane, command)]


async def test_long_work_never_runs_in_a_handler(router: Router) -> None:
    count = CountCohort(trust_id="amber", query_id="q1", project_id="p1", sql="select 1")
    task = RunTask(trust_id="amber", run_id="r1", round=1, kind="train", seed=0, config={}, deadline_at=NOW)
    assert [job.lane for job in (await handled(router, count)).jobs] == ["cohort"]
    assert [job.lane for job in (await handled(router, task)).jobs] == ["training"]


def test_every_command_of_the_hub_has_a_handler(router: Router) -> None:
    from infra.contract.language import message_types

    commands = {message.type for message in message_types() if message.topic_template == "trust.{trust_id}.commands"}
    assert router.types == commands
