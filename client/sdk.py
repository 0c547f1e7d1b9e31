"""The Python SDK: what a person or a UI backend may ask of the hub, and what it answers.

    async with Trustflow.connect(federation_settings(), actor="ann") as hub:
        project_id = await hub.create_project("Prostate MR")
        async for event in hub.query(project_id, sql, trusts=("amber", "birch")):
            ...

Every command waits for its answer and raises `CommandRejected` (a stable code, a plain sentence), `NoAnswer` or
`Unreachable`. A hub of its own for each request of a UI backend costs connections: keep one and use `acting_as`.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from bus.objects import ObjectLane
from bus.speaker import Bookmark, CommandRejected, NoAnswer, Speaker, Until
from bus.uow import new_id
from client.cohort_hub import CohortHub
from client.hearing import NotFound, found
from client.settings import FederationSettings
from schemas.bundle import pack
from schemas.deid import DeidWish
from schemas.imaging import ReconcileImport, ReimportStudy, RetryStudies, SkipStudy, SwitchConversion
from schemas.message import Message
from schemas.project import (
    AddMember,
    ApproveProject,
    CloseProject,
    CreateProject,
    DeclineProject,
    EditProject,
    RemoveMember,
    StageProject,
    WithdrawApproval,
)
from schemas.training import (
    ApproveBundle,
    BundleGranted,
    BundleRefused,
    BundleSubmitted,
    CreateModel,
    DeclineBundle,
    GetModel,
    ModelGranted,
    OfferBundle,
    RunEvent,
    RunFailed,
    RunFinished,
    RunPlan,
    RunStopped,
    StartRun,
    StopRun,
    SubmitBundle,
)
from schemas.views import (
    IMPORT,
    MODEL,
    PROJECT,
    RUN,
    ImportView,
    ModelView,
    ProjectView,
    RunView,
    fold_import,
    fold_project,
)

M = TypeVar("M", bound=Message)

GRANT_TIMEOUT_S = 15.0
SCAN_TIMEOUT_S = 60.0
RUN_ENDS = (RunFinished, RunFailed, RunStopped)


class RunUnsuccessful(Exception):
    """The run failed or was stopped: there is no model to take."""


class Trustflow(CohortHub):
    """The hub as one user sees it."""

    @classmethod
    @asynccontextmanager
    async def connect(cls, settings: FederationSettings, *, actor: str) -> AsyncIterator[Self]:
        async with Speaker(settings.client_login()) as speaker:
            yield cls(speaker, actor)

    def acting_as(self, actor: str) -> "Trustflow":
        """The same connections in another user's name."""
        return Trustflow(self._voice, actor)

    async def create_project(
        self,
        name: str,
        *,
        description: str = "",
        dicom_to_nifti: bool = True,
        deid: DeidWish | None = None,
        project_id: str | None = None,
    ) -> str:
        """Make a draft; returns the id of the project, new unless one is given.

        A trust whose rules do not allow what ``deid`` wishes imports nothing for the project.
        """
        project_id = project_id or new_id()
        await self._voice.ask(
            CreateProject(
                actor=self.actor,
                project_id=project_id,
                name=name,
                description=description,
                dicom_to_nifti=dicom_to_nifti,
                deid=deid,
            )
        )
        return project_id

    async def edit_project(
        self,
        project_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        dicom_to_nifti: bool | None = None,
        deid: DeidWish | None = None,
    ) -> None:
        """Change a draft; what is left out stays as it is."""
        await self._voice.ask(
            EditProject(
                actor=self.actor,
                project_id=project_id,
                name=name,
                description=description,
                dicom_to_nifti=dicom_to_nifti,
                deid=deid,
            )
        )

    async def add_member(self, project_id: str, member: str) -> None:
        await self._voice.ask(AddMember(actor=self.actor, project_id=project_id, member=member))

    async def remove_member(self, project_id: str, member: str) -> None:
        await self._voice.ask(RemoveMember(actor=self.actor, project_id=project_id, member=member))

    async def stage(self, project_id: str, query_id: str, trusts: Iterable[str]) -> None:
        """Freeze the request with this query of record, and ask these trusts."""
        await self._voice.ask(
            StageProject(actor=self.actor, project_id=project_id, query_id=query_id, trusts=tuple(trusts))
        )

    async def approve(self, project_id: str, trust_id: str) -> None:
        await self._voice.ask(ApproveProject(actor=self.actor, project_id=project_id, trust_id=trust_id))

    async def decline(self, project_id: str, trust_id: str, reason: str) -> None:
        await self._voice.ask(DeclineProject(actor=self.actor, project_id=project_id, trust_id=trust_id, reason=reason))

    async def withdraw(self, project_id: str, trust_id: str, reason: str) -> None:
        """Take a trust's approval back."""
        await self._voice.ask(
            WithdrawApproval(actor=self.actor, project_id=project_id, trust_id=trust_id, reason=reason)
        )

    async def close(self, project_id: str) -> None:
        """End a project: nothing more is asked under it, and its images go."""
        await self._voice.ask(CloseProject(actor=self.actor, project_id=project_id))

    async def project(self, project_id: str) -> ProjectView:
        view = await self._folded(PROJECT, project_id)
        known = view if view and view.status != "unknown" else None
        return found(known, f"project {project_id}", "`trustflow project list` names them")

    async def projects(self) -> list[ProjectView]:
        views: dict[str, ProjectView | None] = {}
        async with aclosing(self._said(("project.events",), until="now")) as said:
            async for event in said:
                views[event.key] = fold_project(views.get(event.key), event)
        return [view for view in views.values() if view]

    async def imports(self, project_id: str) -> ImportView:
        return await self._imports(project_id, "now")

    async def watch_import(self, project_id: str) -> AsyncGenerator[ImportView, None]:
        """The import as it stands and after each event, until every trust that approved has finished."""
        now = await self._voice.bookmark(IMPORT.topics)
        view = await self._imports(project_id, now)
        yield view
        async with aclosing(self._said(IMPORT.topics, project_id, since=now)) as said:
            while not view.finished:
                view = fold_import(view, await anext(said)) or view
                yield view

    async def retry_import(self, project_id: str, trust_id: str, study: str | None = None) -> None:
        """Try the failed studies of a trust again, or the one of this pseudonym."""
        await self._voice.ask(RetryStudies(actor=self.actor, project_id=project_id, trust_id=trust_id, study=study))

    async def skip_study(self, project_id: str, trust_id: str, study: str) -> None:
        """Leave a study out of the import at a trust."""
        await self._voice.ask(SkipStudy(actor=self.actor, project_id=project_id, trust_id=trust_id, study=study))

    async def reimport_study(self, project_id: str, trust_id: str, study: str) -> None:
        """Have a trust bring a study in from scratch."""
        await self._voice.ask(ReimportStudy(actor=self.actor, project_id=project_id, trust_id=trust_id, study=study))

    async def reconcile_import(self, project_id: str, trust_id: str) -> None:
        """Have a trust compare what it told with what is there; the view shows what it finds."""
        await self._voice.ask(ReconcileImport(actor=self.actor, project_id=project_id, trust_id=trust_id))

    async def switch_conversion(self, project_id: str, trust_id: str, *, on: bool) -> None:
        """Have a trust convert the project's images to NIfTI from now on, or no longer."""
        await self._voice.ask(SwitchConversion(actor=self.actor, project_id=project_id, trust_id=trust_id, on=on))

    async def create_model(self, project_id: str, name: str, *, model_id: str | None = None) -> str:
        model_id = model_id or new_id()
        await self._voice.ask(CreateModel(actor=self.actor, model_id=model_id, project_id=project_id, name=name))
        return model_id

    async def upload_bundle(self, model_id: str, source: Path) -> BundleSubmitted:
        """Bring training code, a folder or a zip, to the hub; it is scanned there and trusts may then approve it.

        Raises
        ------
        CommandRejected
            also when the scan refuses the code, with the scan's own code and sentence.
        """
        content = await asyncio.to_thread(bundle_bytes, source)
        sha256 = hashlib.sha256(content).hexdigest()
        since = await self._voice.bookmark(("training.events",))
        await self._voice.ask(OfferBundle(actor=self.actor, model_id=model_id, sha256=sha256, size=len(content)))
        granted = await self._first((BundleGranted,), model_id, since, GRANT_TIMEOUT_S, sha256)
        async with ObjectLane() as lane:
            manifest = await lane.upload(memoryview(content), granted.upload)
        await self._voice.ask(SubmitBundle(actor=self.actor, model_id=model_id, sha256=sha256, manifest=manifest))
        judged: BundleSubmitted | BundleRefused = await self._first(
            (BundleSubmitted, BundleRefused), model_id, since, SCAN_TIMEOUT_S, sha256
        )
        if isinstance(judged, BundleRefused):
            raise CommandRejected(judged.code, judged.reason)
        return judged

    async def approve_bundle(self, model_id: str, trust_id: str, sha256: str) -> None:
        await self._voice.ask(ApproveBundle(actor=self.actor, model_id=model_id, trust_id=trust_id, sha256=sha256))

    async def decline_bundle(self, model_id: str, trust_id: str, sha256: str, reason: str) -> None:
        await self._voice.ask(
            DeclineBundle(actor=self.actor, model_id=model_id, trust_id=trust_id, sha256=sha256, reason=reason)
        )

    async def model(self, model_id: str) -> ModelView:
        view = await self._folded(MODEL, model_id)
        return found(view, f"model {model_id}", "`trustflow model create` makes one and prints its id")

    async def start_run(
        self,
        model_id: str,
        trusts: Iterable[str],
        plan: RunPlan,
        *,
        evaluate_at: Iterable[str] = (),
        run_id: str | None = None,
    ) -> str:
        """Begin to train; returns the id of the run at once: follow it with `watch_run`."""
        run_id = run_id or new_id()
        await self._voice.ask(
            StartRun(
                actor=self.actor,
                run_id=run_id,
                model_id=model_id,
                trusts=tuple(trusts),
                evaluate_at=tuple(evaluate_at),
                plan=plan,
            )
        )
        return run_id

    async def watch_run(self, run_id: str) -> AsyncGenerator[RunEvent, None]:
        """Every event of the run from its beginning; the last is RunFinished, RunFailed or RunStopped."""
        await self.run(run_id)
        async with aclosing(self._said(("training.events",), run_id)) as said:
            async for event in said:
                if isinstance(event, RunEvent):
                    yield event
                if isinstance(event, RUN_ENDS):
                    return

    async def stop_run(self, run_id: str) -> None:
        await self._voice.ask(StopRun(actor=self.actor, run_id=run_id))

    async def run(self, run_id: str) -> RunView:
        view = await self._folded(RUN, run_id)
        return found(view, f"run {run_id}", "`trustflow run start` makes one and prints its id")

    async def download_model(self, run_id: str, path: Path) -> RunFinished:
        """Bring the run's model to ``path``, every part verified against the manifest; goes on where it was cut.

        Raises
        ------
        RunUnsuccessful
        bus.objects.ObjectError
        """
        view = await self.run(run_id)
        if view.result is None:
            raise RunUnsuccessful(
                f"the run is {view.status}, so there is no model: {view.failure or 'wait for its end'}"
            )
        since = await self._voice.bookmark(("training.events",))
        await self._voice.ask(GetModel(actor=self.actor, run_id=run_id))
        granted = await self._first((ModelGranted,), run_id, since, GRANT_TIMEOUT_S)
        async with ObjectLane() as lane:
            await lane.download(granted.model.manifest, granted.model.urls, path)
        return view.result

    async def _imports(self, project_id: str, until: Until) -> ImportView:
        view = await self._folded(IMPORT, project_id, until)
        return found(view, f"an import of {project_id}", "it begins when a trust approves the project")

    async def _first(
        self, wanted: tuple[type[M], ...], key: str, since: Bookmark, timeout_s: float, sha256: str | None = None
    ) -> M:
        said = self._said(("training.events",), key, since=since)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), aclosing(said):
                async for event in said:
                    if isinstance(event, wanted) and sha256 in (None, getattr(event, "sha256", None)):
                        return event
        names = " or ".join(message.type for message in wanted)
        raise NoAnswer(f"the training_coordinator service said no {names} within {timeout_s:g} s: see `make status`")


def bundle_bytes(source: Path) -> bytes:
    """A zip as it is; a folder packed so that equal files give equal bytes, hidden files and caches left out.

    Raises
    ------
    NotFound
    """
    if source.is_file():
        return source.read_bytes()
    if not source.is_dir():
        raise NotFound(f"there is no folder or zip {source}")
    files = {file.relative_to(source): file for file in sorted(source.rglob("*")) if file.is_file()}
    return pack({path.as_posix(): file.read_bytes() for path, file in files.items() if _belongs(path)})


def _belongs(path: Path) -> bool:
    return not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
