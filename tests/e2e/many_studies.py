"""Many studies into one trust while its node is killed again and again, and PACS and archive are restarted.

``python -m tests.e2e.many_studies --studies 2000`` prints what became of each kind of study.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from rich.console import Console

from client.sdk import Trustflow
from infra import lifecycle
from infra.federation import Federation, trust_role
from infra.parts.xnat import ADMIN
from schemas.views import TrustImport
from tests.e2e.planted_studies import Planted, fill_pacs, fill_warehouse, planned
from tests.e2e.processes import kill, pid_of, start, stop
from tests.e2e.runs import connected
from tests.e2e.study_ends import End, Outcome
from trust_node.imaging.deid import DeidKeys
from trust_node.imaging.xnat import Xnat

TRUST = "amber"
NODE, PACS, ARCHIVE = f"node-{TRUST}", f"orthanc-{TRUST}", f"xnat-{TRUST}"
BROKEN_SHARE = 0.025
COHORT = "SELECT i.accession_id FROM image_occurrence i"
POLICY = f"""\
approvers = ["{TRUST}-approver"]
import_retries = 3
"""


@dataclass(slots=True)
class Storm:
    """Kills the node every so often until everything is settled; PACS and archive are restarted on the way."""

    federation: Federation
    every_s: float
    kills: int
    done: asyncio.Event = field(default_factory=asyncio.Event)
    killed: int = 0

    async def blow(self) -> None:
        while self.killed < self.kills and not await self._over_within(self.every_s):
            kill(await asyncio.to_thread(pid_of, self.federation, NODE))
            self.killed += 1
            if self.killed in {1, 2}:
                await asyncio.to_thread(self._restart, (PACS, ARCHIVE)[self.killed - 1])

    async def _over_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.done.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _restart(self, name: str) -> None:
        stop(self.federation, name)
        start(self.federation, name)


async def play(federation: Federation, count: int, kills: int, every_s: float, timeout_s: float) -> Outcome:
    """Plant, ask, disturb, wait, look."""
    studies = await _plant(federation, count)
    began = time.monotonic()
    async with connected(federation) as hub:
        project_id = await _asked(hub, timeout_s=60)
        storm = Storm(federation, every_s, kills)
        blowing = asyncio.create_task(storm.blow())
        try:
            async with asyncio.timeout(timeout_s):
                async for view in hub.watch_import(project_id):
                    told = view.trusts.get(TRUST, TrustImport())
        finally:
            storm.done.set()
            await blowing
        seconds = time.monotonic() - began
    keys = DeidKeys(federation.keys.value(f"trust-key-{TRUST}").encode())
    return Outcome(
        project_id,
        studies,
        await _ends(federation, project_id),
        await _archived(federation, project_id),
        {study.accession: keys.study(study.study_uid) for study in studies},
        told,
        storm.killed,
        seconds,
    )


async def _plant(federation: Federation, count: int) -> list[Planted]:
    studies = planned(count, max(5, round(count * BROKEN_SHARE)))
    orthanc = federation.orthanc(TRUST)
    stored = await asyncio.to_thread(fill_pacs, orthanc, studies)
    # what it keeps in memory is not broken yet
    await asyncio.to_thread(stop, federation, PACS)
    await asyncio.to_thread(start, federation, PACS)
    await asyncio.to_thread(orthanc.wait_ready)
    await fill_warehouse(federation, TRUST, stored)
    return stored


async def _asked(hub: Trustflow, timeout_s: float) -> str:
    async with asyncio.timeout(timeout_s):
        project_id = await hub.create_project("Many studies", dicom_to_nifti=False)
        async for event in hub.query(project_id, COHORT, (TRUST,)):
            query_id = event.query_id
        await hub.stage(project_id, query_id, (TRUST,))
        await hub.acting_as(f"{TRUST}-approver").approve(project_id, TRUST)
    return project_id


async def _ends(federation: Federation, project_id: str) -> dict[str, End]:
    connection = await asyncpg.connect(federation.database_url(trust_role(TRUST)))
    try:
        rows = await connection.fetch(
            "select accession, settled, state, code, rest, attempt, held::text from study where project_id = $1",
            project_id,
        )
    finally:
        await connection.close()
    return {row["accession"]: End(*tuple(row)[1:6], json.loads(row["held"])) for row in rows}


async def _archived(federation: Federation, project_id: str) -> dict[str, int]:
    part = federation.xnat(TRUST)
    async with Xnat(part.url, ADMIN, part.password) as xnat:
        project = await xnat.ensure_project(project_id, "Many studies")
        sessions = await xnat.list_sessions(project)
        assert len(sessions) == len(set(sessions)), "a study was archived twice"
        return {session: (await xnat.session_counts(project, session)).get("DICOM", 0) for session in sessions}


def raised(run: Path) -> Federation:
    """One trust, with a policy of few retries."""
    run.mkdir(parents=True, exist_ok=True)
    (run / f"policy-{TRUST}.toml").write_text(POLICY)
    return lifecycle.up(1, lambda _: None, run)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--studies", type=int, default=2000)
    arguments.add_argument("--kills", type=int, default=1000)
    arguments.add_argument("--every", type=float, default=8.0)
    arguments.add_argument("--timeout", type=float, default=1800.0)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        run = Path(folder)
        try:
            outcome = asyncio.run(play(raised(run), given.studies, given.kills, given.every, given.timeout))
        finally:
            lifecycle.down(lambda _: None, run)
    console = Console()
    console.print(outcome.table())
    for wrong in outcome.check():
        console.print(f"[red]{wrong}[/]")
    sys.exit(bool(outcome.check()))


if __name__ == "__main__":
    main()
