"""The federation that is measured: real, of two trusts, in a run folder of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from bus.speaker import Bookmark, Heard, Speaker
from client.sdk import Trustflow
from infra import lifecycle
from infra.demo.hospital import open_hospitals
from infra.demo.play import RESEARCHER, Play
from infra.demo.screen import Screen
from infra.federation import ROOT, Federation, trust_role
from schemas.topics import CLIENT, OPERATOR, SERVICES, all_topics

BUILD = ROOT / "build"
RUN = BUILD / "bench-run"
BUNDLE = Path(__file__).parent / "bundle"


@dataclass(frozen=True, slots=True)
class Stand:
    """A project whose images are in, and a model whose code only adds one."""

    federation: Federation
    hub: Trustflow
    operator: Speaker
    project_id: str
    model_id: str

    async def heard(self, since: Bookmark) -> dict[str, Heard]:
        """Return every message since then, on any topic, by the id of its envelope."""
        stream = self.operator.events(self._topics, since=since, until="now")
        return {heard.envelope.id: heard async for heard in stream if heard.envelope}

    async def now(self) -> Bookmark:
        return await self.operator.bookmark(self._topics)

    async def handled_at(self, ids: Sequence[str]) -> dict[str, datetime]:
        """Return, for each message that somebody had a handler for, when the transaction around it began."""
        roles = (*SERVICES, *map(trust_role, self.federation.trusts))
        found = await asyncio.gather(*(_received(self.federation.postgres.dsn(role), ids) for role in roles))
        return {row["event_id"]: row["received_at"] for rows in found for row in rows}

    @property
    def _topics(self) -> list[str]:
        return [topic.name for topic in all_topics(self.federation.trusts)]


@asynccontextmanager
async def stand(console: Console) -> AsyncIterator[Stand]:
    federation = await asyncio.to_thread(lifecycle.up, 2, console.print, RUN)
    async with _speaker(federation, CLIENT) as client, _speaker(federation, OPERATOR) as operator:
        hub = Trustflow(client, RESEARCHER)
        yield Stand(federation, hub, operator, *await _prepared(federation, hub, console))


def _speaker(federation: Federation, principal: str) -> Speaker:
    return Speaker(federation.login(principal))


async def _prepared(federation: Federation, hub: Trustflow, console: Console) -> tuple[str, str]:
    """Images come in once; the code is uploaded each time, for it may have changed."""
    mark = federation.run / "bench.json"
    if not mark.exists():
        mark.write_text(json.dumps({"project_id": await _project(federation, hub, console)}))
    project_id = json.loads(mark.read_text())["project_id"]
    model_id = await hub.create_model(project_id, "adds one")
    bundle = await hub.upload_bundle(model_id, BUNDLE)
    for trust in federation.trusts:
        await hub.acting_as(f"{trust}-approver").approve_bundle(model_id, trust, bundle.sha256)
    return project_id, model_id


async def _project(federation: Federation, hub: Trustflow, console: Console) -> str:
    screen = Screen(console)
    hospitals = await open_hospitals(federation, BUILD, screen.say)
    play = Play(federation, hospitals, hub, screen, RUN)
    for act in (play.make_project, play.count_cohort, play.get_approval, play.bring_images, play.enrich):
        await act()
    screen.end_step()
    return play.story.project_id


async def _received(database: str, ids: Sequence[str]) -> Sequence[Any]:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetch("select event_id, received_at from inbox where event_id = any($1)", ids)  # type: ignore[no-any-return]  # asyncpg is untyped
    finally:
        await connection.close()
