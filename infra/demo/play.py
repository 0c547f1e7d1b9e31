"""The path, played by commands and events: from a cohort query to a trained model."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bus.speaker import CommandRejected
from client.sdk import Trustflow
from infra.demo.hospital import Hospitals, label_images
from infra.demo.screen import Screen
from infra.federation import Federation
from schemas.cohort import QueryTotalled, TrustCounted
from schemas.training import (
    RoundFinished,
    RoundStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    RunPlan,
    RunStarted,
    TrustReady,
    UpdateAccepted,
)
from schemas.views import ImportView

RESEARCHER, COLLEAGUE = "ann", "bob"
BUNDLE = Path(__file__).parent / "bundle"
COHORT = """\
SELECT i.accession_id
FROM image_occurrence i JOIN person p ON p.person_id = i.person_id
WHERE p.year_of_birth < 2000"""
GREEDY = "SELECT * FROM person"
ROUNDS = 8


@dataclass(slots=True)
class RunRecord:
    """What was seen of one run."""

    run_id: str
    trusts: tuple[str, ...]
    ready: dict[str, TrustReady] = field(default_factory=dict)
    rounds: list[RoundFinished] = field(default_factory=list)
    finished: RunFinished | None = None
    failed: RunFailed | None = None


@dataclass(slots=True)
class Story:
    """Everything that the summary, the report and the checks speak of."""

    project_id: str = ""
    query_id: str = ""
    counted: dict[str, TrustCounted] = field(default_factory=dict)
    total: int | None = None
    refusals: dict[str, str] = field(default_factory=dict)
    imports: ImportView | None = None
    labelled: dict[str, int] = field(default_factory=dict)
    model_id: str = ""
    bundle_sha256: str = ""
    federated: RunRecord | None = None
    alone: dict[str, RunRecord] = field(default_factory=dict)
    model_file: Path | None = None


@dataclass(slots=True)
class Play:
    federation: Federation
    hospitals: Hospitals
    hub: Trustflow
    screen: Screen
    folder: Path
    story: Story = field(default_factory=Story)

    @property
    def trusts(self) -> tuple[str, ...]:
        return self.federation.trusts

    def approver(self, trust: str) -> Trustflow:
        return self.hub.acting_as(f"{trust}-approver")

    async def whole(self) -> Story:
        await self.make_project()
        await self.count_cohort()
        await self.get_approval()
        await self.bring_images()
        await self.enrich()
        await self.bring_code()
        await self.train()
        return self.story

    async def make_project(self) -> None:
        self.screen.step("project")
        self.story.project_id = await self.hub.create_project("Sequence types", description="Which MR sequence is it?")
        await self.hub.add_member(self.story.project_id, COLLEAGUE)
        await self.hub.edit_project(self.story.project_id, description="Tell the MR sequence of a slice of the head.")
        self.screen.say(f"draft {self.story.project_id} by {RESEARCHER}, with {COLLEAGUE}")

    async def count_cohort(self) -> None:
        self.screen.step("cohort")
        await self._everything_must_be_refused()
        async for event in self.hub.query(self.story.project_id, COHORT, self.trusts):
            self.story.query_id = event.query_id
            if isinstance(event, TrustCounted):
                self.story.counted[event.trust_id] = event
                self.screen.say(f"{event.trust_id}: {event.outcome}, {_about(event.persons)} persons")
            elif isinstance(event, QueryTotalled):
                self.story.total = event.persons
                self.screen.say(f"together {_about(event.persons)} persons at {event.counted} of {event.asked} trusts")

    async def _everything_must_be_refused(self) -> None:
        try:
            # unchecked, so that the federation refuses and not this program
            async for _ in self.hub.query(self.story.project_id, GREEDY, self.trusts[:1], check=False):
                pass
        except CommandRejected as rejected:
            self.story.refusals["select everything"] = rejected.code
            self.screen.say(f"{GREEDY!r} is refused: {rejected.reason}")

    async def get_approval(self) -> None:
        self.screen.step("approval")
        await self.hub.stage(self.story.project_id, self.story.query_id, self.trusts)
        await self._must_be_refused("approve one's own request", self.hub)
        await self._must_be_refused("approve for a stranger", self.hub.acting_as("mallory"))
        for trust in self.trusts:
            await self.approver(trust).approve(self.story.project_id, trust)
            self.screen.say(f"{trust}: approved by {trust}-approver")

    async def _must_be_refused(self, what: str, hub: Trustflow) -> None:
        try:
            await hub.approve(self.story.project_id, self.trusts[0])
        except CommandRejected as rejected:
            self.story.refusals[what] = rejected.code
            self.screen.say(f"to {what} is refused: {rejected.reason}")

    async def bring_images(self) -> None:
        self.screen.step("import")
        async for view in self.hub.watch_import(self.story.project_id):
            self.story.imports = view
            for trust, progress in view.trusts.items():
                settled = progress.tally.converted + progress.tally.failed
                self.screen.bar(f"{trust} studies", settled, progress.planned, _codes(progress.studies))
        self.screen.end_bars()

    async def enrich(self) -> None:
        self.screen.step("enrichment")
        for trust in self.trusts:
            labelled = await label_images(self.federation, trust, self.story.project_id, self.hospitals)
            self.story.labelled[trust] = labelled
            self.screen.say(f"{trust}: the data manager has labelled {labelled} scans in XNAT")

    async def bring_code(self) -> None:
        self.screen.step("code")
        self.story.model_id = await self.hub.create_model(self.story.project_id, "slice-net")
        submitted = await self.hub.upload_bundle(self.story.model_id, BUNDLE)
        self.story.bundle_sha256 = submitted.sha256
        self.screen.say(f"bundle {submitted.sha256[:16]}… of {submitted.files} files passed the scan")
        for trust in self.trusts:
            await self.approver(trust).approve_bundle(self.story.model_id, trust, submitted.sha256)
        self.screen.say("approved by its hash at every trust")

    async def train(self) -> None:
        self.screen.step("training")
        self.story.federated = await self._run(self.trusts, "federated")
        alone = await asyncio.gather(*(self._run((trust,), f"{trust} alone") for trust in self.trusts))
        self.story.alone = dict(zip(self.trusts, alone, strict=True))
        self.screen.end_bars()
        self.screen.step("result")
        self.story.model_file = self.folder / "model.safetensors"
        await self.hub.download_model(self.story.federated.run_id, self.story.model_file)

    async def _run(self, trusts: Sequence[str], name: str) -> RunRecord:
        plan = RunPlan(rounds=ROUNDS, quorum=len(trusts), seed=7)
        run_id = await self.hub.start_run(self.story.model_id, trusts, plan, evaluate_at=self.trusts)
        record = RunRecord(run_id, tuple(trusts))
        async for event in self.hub.watch_run(run_id):
            _note(record, event)
            self.screen.bar(name, len(record.rounds), ROUNDS + 1, _news(record, event))
        return record


def _note(record: RunRecord, event: RunEvent) -> None:
    match event:
        case TrustReady():
            record.ready[event.trust_id] = event
        case RoundFinished():
            record.rounds.append(event)
        case RunFinished():
            record.finished = event
        case RunFailed():
            record.failed = event
        case _:
            return


def _news(record: RunRecord, event: RunEvent) -> str:
    match event:
        case RunStarted():
            return "preparing"
        case TrustReady():
            return f"{event.trust_id} ready, {event.isolation}"
        case RoundStarted():
            return f"round {event.round}"
        case UpdateAccepted():
            return f"round {event.round}: update of {event.trust_id}"
        case RunFinished():
            return "accuracy " + format(event.metrics.get("accuracy", float("nan")), ".3f")
        case RunFailed():
            return f"failed: {event.code}: {event.reason}"
        case _:
            return f"round {len(record.rounds)}"


def _about(persons: int | None) -> str:
    return "too few" if persons is None else f"about {persons}"


def _codes(studies: Mapping[str, object]) -> str:
    codes = [code for study in studies.values() if (code := getattr(study, "code", None))]
    return ", ".join(sorted(codes))
