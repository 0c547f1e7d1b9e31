"""Events a second from the topics into a rebuilt view, compared and switched to, beside reading without storing."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter, process_time

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rich.console import Console

from bus.login import Login
from bus.speaker import Speaker
from bus.views.rebuild import Rebuild, opened
from schemas.message import Message
from schemas.project import MemberAdded, MemberRemoved, ProjectCreated
from schemas.registry import REGISTRY
from schemas.topics import ADMINISTRATOR, acls, all_topics, principals
from schemas.training import RoundFinished, RoundStarted, RunPlan, RunStarted, SiteMetrics, UpdateAccepted
from schemas.views import PROJECT, RUN, AnyView
from tests.bench.findings import Finding, load_now
from tests.bench.ground import Ground, ground
from tests.bench.results import Result
from tests.bench.saying import say
from tests.integration.process import our_process

GATEWAY = "gateway"
EVENTS = 100_000
ROUNDS = 12
TRUSTS = ("amber", "birch")
DIGEST = "a" * 64
AIM = 20_000
LOOK_S = 0.05


def measure(_console: Console) -> Result:
    with ground() as ground_:
        return Result(tuple(asyncio.run(_rebuilds(ground_))))


async def _rebuilds(ground: Ground) -> list[Finding]:
    await ground.broker.provision(all_topics(()), acls(()), principals(()))
    await _fill(ground)
    database = ground.database.fresh_database(GATEWAY)
    live = await _live(ground, database)
    findings = [Finding("live projector catching up, five views", live, "/s", load=load_now())]
    for view in (PROJECT, RUN):
        load, (ours, alone) = load_now(), await _ours(ground, database, view)
        bare = await asyncio.to_thread(_peer, ground.broker.login(ADMINISTRATOR), view.topics[0])
        what = f"rebuild of the view {view.name}, {EVENTS:,} events, until it is switched to"
        findings += [
            Finding(what, ours, "/s", AIM, bare, "aiokafka getmany + validation, nothing stored", load),
            Finding("… a second of its own processor time", alone, "/s", load=load),
        ]
    return findings


def projects(events: int) -> Iterator[Message]:
    """Small rows: each event changes one that exists."""
    for number in range(events // 10):
        project = {"project_id": f"project-{number}"}
        yield ProjectCreated(**project, name="Prostate", description="3 T", dicom_to_nifti=True, owner="ann")
        for place in range(9):
            yield (MemberRemoved if place % 3 == 2 else MemberAdded)(**project, member=f"member-{place // 2}")


def runs(events: int) -> Iterator[Message]:
    """Rows that grow with each of their rounds."""
    for number in range(events // (1 + 4 * ROUNDS)):
        yield from _run({"run_id": f"run-{number}"})


def _run(run: dict[str, str]) -> Iterator[Message]:
    made = {"model_id": "m", "project_id": "p", "bundle_sha256": DIGEST, "plan": RunPlan(rounds=ROUNDS, quorum=2)}
    yield RunStarted(**run, **made, trusts=TRUSTS, evaluate_at=TRUSTS)
    metrics = {"accuracy": 0.9, "loss": 0.1}
    sites = tuple(SiteMetrics(trust_id=trust, examples=100, metrics=metrics) for trust in TRUSTS)
    for number in range(ROUNDS):
        round_ = {**run, "round": number}
        yield RoundStarted(**round_, trusts=TRUSTS)
        for trust in TRUSTS:
            yield UpdateAccepted(**round_, trust_id=trust, order=1, examples=100, metrics=metrics, digest=DIGEST)
        found = {"metrics": metrics, "sites": sites, "model_digest": DIGEST}
        yield RoundFinished(**round_, **found, seconds=1.5, participants=TRUSTS)


async def _fill(ground: Ground) -> None:
    options = {"linger_ms": 5, "max_batch_size": 2**18}
    async with AIOKafkaProducer(**ground.broker.credentials(), **options) as producer:
        for message in projects(EVENTS):
            await say(producer, "project", message)
        for message in runs(EVENTS):
            await say(producer, "training_coordinator", message)
        await producer.flush()


async def _live(ground: Ground, database: str) -> float:
    """Let the gateway read everything first: a rebuild goes as far as the live view has come."""
    look = await ground.look_into(database)
    async with our_process("services.gateway", GATEWAY, ground.broker, database, ground.folder):
        first, began = await _read(look, 1)
        last, ended = await _read(look, sum(1 for _ in projects(EVENTS)) + sum(1 for _ in runs(EVENTS)))
    await look.close()
    return (last - first) / (ended - began)


async def _read(look: asyncpg.Connection, events: int) -> tuple[int, float]:
    total = "select coalesce(sum(next_offset), 0)::int from position"
    while (done := await look.fetchval(total)) < events:  # noqa: ASYNC110  of another process
        await asyncio.sleep(LOOK_S)
    return done, perf_counter()


async def _ours(ground: Ground, database: str, view: AnyView) -> tuple[float, float]:
    """Return events a second, by the clock and by this process's own time on a core: others may be at work."""
    async with (
        Speaker(ground.broker.login(ADMINISTRATOR)) as speaker,
        speaker.history(view.topics) as history,
        opened(database) as connection,
    ):
        started, own = perf_counter(), process_time()
        rebuilt = await Rebuild(connection, history, view, GATEWAY).switch_over()
        seconds, own = perf_counter() - started, process_time() - own
    if not rebuilt.switched:
        raise ValueError(f"the rebuilt {view.name} differs: {rebuilt.differences}")
    return rebuilt.records / seconds, rebuilt.records / own


def _peer(login: Login, topic: str) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(plainly, login, topic).result()


def plainly(login: Login, topic: str) -> float:
    return asyncio.run(_plainly(login, topic))


async def _plainly(login: Login, topic: str) -> float:
    async with AIOKafkaConsumer(topic, auto_offset_reset="earliest", **login.options()) as consumer:
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(consumer.assignment())
        done, started = 0, perf_counter()
        while done < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=1000, max_records=500)).values():
                for record in records:
                    REGISTRY[dict(record.headers)["ce_type"].decode()].model_validate_json(record.value)
                done += len(records)
        return done / (perf_counter() - started)
