"""A study's life on the node's own database: whatever goes wrong, it ends, and it has arrived only if it is there."""

from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus.proof.signing import Signer
from bus.uow import UnitOfWork
from schemas.trust_imaging import ImportPlanned
from tests.integration.study_world import BREAKS, EVENTS, REQUEST, RETRIES, SESSION, World
from tests.unit.imaging.importing import ACCESSION, STUDY, image, parts
from trust_node.imaging import holds, store
from trust_node.imaging.explaining import explain
from trust_node.imaging.holds import Ruling
from trust_node.imaging.lane import CLAIMS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
async def world(pool: Any, threads: Executor, tmp_path: Path) -> World:
    made = World(pool, Signer.open(tmp_path / "key.pem"), parts(tmp_path, threads))
    await made.begin()
    return made


FAULTS = st.sampled_from(["none", *BREAKS])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(FAULTS, min_size=1, max_size=6), for_ever=st.booleans())
async def test_every_sequence_of_faults_ends_and_only_what_is_there_has_arrived(
    faults: list[str], for_ever: bool, pool: Any, threads: Executor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("life")
    world = World(pool, Signer.open(folder / "key.pem"), parts(folder, threads))
    await world.begin()
    endless = cycle(faults) if for_ever else chain(faults, cycle(["none"]))
    for attempts, fault in enumerate(endless):
        if not await world.attempt(fault):
            break
        assert attempts <= (RETRIES + 1) * (CLAIMS + 1), "it is tried without end"
    study, told = await world.study(), await world.told()
    assert study.settled
    assert [event.settled for event in told] == [False] * (len(told) - 1) + [True]
    there = len(world.importer.xnat.files)
    assert told[-1].arrived == (study.code is None)
    assert not told[-1].arrived or there == study.expected == study.archived == 3
    assert study.failures <= RETRIES + 1


async def test_a_plan_is_told_and_each_study_has_a_job_and_a_deadline(world: World) -> None:
    rows = await world.pool.fetch(EVENTS, world.project_id)
    assert [ImportPlanned.parse(row["value"]).studies for row in rows] == [1]
    jobs = await world.pool.fetch(
        "select lane, run_at > now() + interval '13 days' from job where lane <> 'audit' order by lane"
    )
    assert [tuple(job) for job in jobs] == [("deadlines", True), ("imaging", False)]


async def test_silence_ends_as_timed_out_and_what_was_under_way_says_no_more(world: World) -> None:
    async with world.uow() as uow:
        await world.asks.settle_overdue(replace_now(uow, days=15), world.project_id)
    study = await world.study()
    assert (study.code, study.settled) == ("timed_out", True)
    assert not await world.attempt()
    assert (await world.told())[-1].failure.code == "timed_out"  # type: ignore[union-attr]


async def test_a_deadline_leaves_alone_what_has_arrived(world: World) -> None:
    await world.attempt()
    async with world.uow() as uow:
        await world.asks.settle_overdue(replace_now(uow, days=15), world.project_id)
    assert (await world.told())[-1].arrived


async def test_a_skipped_study_rests_until_somebody_asks(world: World) -> None:
    async with world.uow() as uow:
        await world.asks.skip(uow, world.project_id, REQUEST)
    assert not await world.attempt()
    assert (await world.told())[-1].rest == "skipped"
    async with world.uow() as uow:
        await world.asks.reimport(uow, world.project_id, REQUEST)
    assert await world.attempt()
    assert (await world.told())[-1].arrived


async def test_a_reimport_is_from_scratch_once(world: World) -> None:
    await world.attempt()
    async with world.uow() as uow:
        await world.asks.reimport(uow, world.project_id, SESSION)
    await world.attempt("too few")
    await world.attempt()
    study = await world.study()
    assert (study.fresh, study.code, world.importer.pacs.retrievals) == (False, None, 3)


async def test_a_retry_takes_what_failed_and_nothing_else(world: World) -> None:
    await world.attempt("archive refuses")
    async with world.uow() as uow:
        assert await world.asks.retry(uow, world.project_id, None) == [REQUEST]
    await world.attempt()
    async with world.uow() as uow:
        assert await world.asks.retry(uow, world.project_id, None) == []


async def test_a_release_brings_the_image_in_past_the_rule_that_held_it(world: World) -> None:
    world.importer.pacs.images[STUDY] = [image(1), image(2, BurnedInAnnotation="YES", SeriesInstanceUID="1.2.3.9")]
    await world.attempt()
    held = await world.study()
    assert (held.rest, dict(held.held), held.archived) == ("held", {"burned_in_annotation": 1}, 1)
    async with world.uow() as uow:
        ruling = Ruling("released", "amber-approver", "a ruler, no name")
        await holds.decide(uow, world.project_id, SESSION, (), ruling)
    await world.attempt()
    study = await world.study()
    assert (study.rest, study.archived, (await world.told())[-1].arrived) == (None, 2, True)


async def test_switching_conversion_on_converts_what_is_here(world: World) -> None:
    async with world.uow() as uow:
        await world.asks.switch_conversion(uow, world.project_id, on=False)
    await world.attempt()
    assert (await world.study()).state == "archived"
    async with world.uow() as uow:
        await world.asks.switch_conversion(uow, world.project_id, on=True)
    await world.attempt()
    assert (await world.study()).state == "converted"
    assert world.importer.pacs.retrievals == 1


async def test_outside_the_hours_of_the_pacs_a_study_waits_by_its_row(world: World) -> None:
    opening = datetime.now(UTC) + timedelta(hours=6)
    world.turn = lambda _now: opening
    await world.attempt()
    job = await world.pool.fetchrow("select run_at, attempts from job where lane = 'imaging'")
    assert (job["run_at"], job["attempts"], (await world.study()).attempt) == (opening, 0, 0)


async def test_the_trusts_choice_for_a_project_outweighs_the_rule_of_the_node(world: World) -> None:
    world.importer.pacs.images = {uid: [image(number, uid) for number in range(2)] for uid in ("1.2.3.1", "1.2.3.2")}
    await world.attempt()
    assert (await world.study()).code == "ambiguous_accession"
    async with world.uow() as uow:
        assert await store.choose_several(uow.connection, world.project_id, "all")
        await world.asks.retry(uow, world.project_id, None)
    await world.attempt()
    assert (await world.study()).archived == 4
    assert len((await store.found(world.pool, world.project_id))[REQUEST]) == 2


async def test_a_life_is_explained_in_words_without_the_accession_number(world: World) -> None:
    await world.attempt("too few")
    study = await world.study()
    found = (await store.found(world.pool, world.project_id))[REQUEST]
    lines = "\n".join(explain(study, await store.told(world.pool, world.project_id, REQUEST), found))
    assert "tried again" in lines
    assert "incomplete" in lines
    assert ACCESSION not in lines


def replace_now(uow: UnitOfWork, *, days: int) -> UnitOfWork:
    uow.now += timedelta(days=days)
    return uow
