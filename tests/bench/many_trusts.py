"""A cohort query to 1, 10, 100 and 1,000 trusts and back, through the real cohort service and a real broker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rich.console import Console

from bus.decode import Decoded, read
from bus.uow import new_id
from schemas.cohort import QueryTotalled, SubmitQuery
from schemas.project import ProjectCreated
from schemas.topics import CLIENT, all_topics, trust_principal
from tests.bench.crowd import Badge, crowd, names
from tests.bench.findings import Finding, load_now
from tests.bench.ground import Ground, ground
from tests.bench.results import Measured, Result
from tests.bench.saying import say
from tests.integration.process import our_process

SIZES = (1, 10, 100, 1000)
QUERIES = 3
AIM_S = 5.0
READY_WITHIN_S = 180.0
ANSWER_WITHIN_S = 120.0
SQL = "select count(distinct person_id) from person where year_of_birth < 1960"
COLUMNS = (
    "trusts", "topics", "partitions", "first query", "query, median of 3", "for each trust",
    "broker, resident", "cohort service, resident", "provisioned in",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured with this many trusts; memory in bytes, times in seconds."""

    trusts: int
    topics: int
    partitions: int
    first: float
    query: float
    broker: int
    service: int
    provisioned: float
    load: float

    def cells(self) -> tuple[str, ...]:
        return (
            f"{self.trusts:,}", f"{self.topics:,}", f"{self.partitions:,}", f"{self.first:.3f} s",
            f"{self.query:.3f} s", f"{self.query / self.trusts * 1000:.1f} ms", f"{self.broker / 2**20:.0f} MiB",
            f"{self.service / 2**20:.0f} MiB", f"{self.provisioned:.1f} s",
        )  # fmt: skip


def measure(console: Console) -> Result:
    with ground() as ground_:
        sizes = asyncio.run(_sizes(ground_, console))
    findings = [
        Finding(f"cohort query to {size.trusts:,} trusts and back", size.query, "s", AIM_S, load=size.load)
        for size in sizes
    ]
    text = "Every trust has its own login, topics, consumer group and position; cohort service and broker are real."
    return Result(tuple(findings), (Measured("Many trusts", text, COLUMNS, tuple(size.cells() for size in sizes)),))


async def _sizes(ground: Ground, console: Console) -> list[Size]:
    sizes = []
    for trusts in SIZES:
        sizes.append(await _size(ground, trusts))
        console.print(" | ".join(sizes[-1].cells()))
    return sizes


async def _size(ground: Ground, trusts: int) -> Size:
    here, load, began = names(trusts), load_now(), perf_counter()
    await ground.broker.provision_federation(here)
    provisioned = perf_counter() - began
    database = ground.database.fresh_database("cohort")
    service = our_process("services.cohort", "cohort", ground.broker, database, ground.folder)
    async with _gathered(ground, here), service as process, _asking(ground, database) as asking:
        assert process.popen
        await asking.settle(trusts)
        first = await asking.query(here)
        query = median([await asking.query(here) for _ in range(QUERIES)])
        topics = all_topics(here)
        return Size(
            trusts,
            len(topics),
            sum(topic.partitions for topic in topics),
            first,
            query,
            resident(_broker_process(ground)),
            resident(process.popen.pid),
            provisioned,
            load,
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """A researcher with a project, who has the cohort service count at many trusts."""

    producer: AIOKafkaProducer
    events: AIOKafkaConsumer
    service: asyncpg.Connection
    project_id: str

    async def settle(self, trusts: int) -> None:
        """Return when the service knows the project and every trust."""
        await say(self.producer, "project", _created(self.project_id))
        async with asyncio.timeout(READY_WITHIN_S):
            known = "select (select count(*) from trust) = $1 and exists (select from project where id = $2)"
            while not await self.service.fetchval(known, trusts, self.project_id):  # noqa: ASYNC110  of another process
                await asyncio.sleep(0.05)

    async def query(self, trusts: Sequence[str]) -> float:
        """Return the seconds from asking to the total of all."""
        await self.events.seek_to_end()
        await asyncio.gather(*(self.events.position(partition) for partition in self.events.assignment()))
        ask = SubmitQuery(actor="ann", query_id=new_id(), project_id=self.project_id, sql=SQL, trusts=tuple(trusts))
        began = perf_counter()
        await say(self.producer, CLIENT, ask)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            total = await self._total_of(ask.query_id)
        if total.counted != len(trusts):
            raise RuntimeError(f"{total.counted} of {len(trusts)} trusts were counted: see the service's log")
        return perf_counter() - began

    async def _total_of(self, query_id: str) -> QueryTotalled:
        while True:
            match read(await self.events.getone()):
                case Decoded(message=QueryTotalled(query_id=found) as total) if found == query_id:
                    return total


@asynccontextmanager
async def _asking(ground: Ground, database: str) -> AsyncIterator[Asking]:
    login, service = ground.broker.credentials(), await ground.look_into(database)
    async with AIOKafkaProducer(acks="all", **login) as producer, AIOKafkaConsumer("cohort.events", **login) as events:
        yield Asking(producer, events, service, new_id())
    await service.close()


@asynccontextmanager
async def _gathered(ground: Ground, trusts: Sequence[str]) -> AsyncIterator[None]:
    """The trusts are in a process of their own; return once all of them listen."""
    ready, says_ready = Pipe(duplex=False)
    badges = [
        Badge(trust, ground.broker.login(trust_principal(trust)), ground.broker.signing_key_file(trust))
        for trust in trusts
    ]
    arguments = (badges, ground.broker.login(), says_ready)
    process = get_context("spawn").Process(target=crowd, args=arguments, daemon=True)
    process.start()
    try:
        if not await asyncio.to_thread(ready.poll, READY_WITHIN_S):
            raise TimeoutError(f"{len(trusts)} trusts did not start within {READY_WITHIN_S:g} s")
        yield
    finally:
        process.kill()
        process.join()


def resident(process: int) -> int:
    """Return the bytes of a process that are in memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def _broker_process(ground: Ground) -> int:
    properties = str(ground.broker.part.directory / "server.properties").encode()
    commands = ((file, file.read_bytes()) for file in Path("/proc").glob("[0-9]*/cmdline"))
    return next(int(file.parent.name) for file, command in commands if properties in command)


def _created(project_id: str) -> ProjectCreated:
    return ProjectCreated(project_id=project_id, name="Many", description="", dicom_to_nifti=False, owner="ann")
