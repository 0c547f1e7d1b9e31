"""What may be asked about a project's import, by the hub or by a person at the trust: the same code for both."""

from dataclasses import dataclass
from datetime import timedelta

from bus.uow import UnitOfWork
from schemas.trust_imaging import ConversionSet, ImportPlanned, StudyAdvanced, StudyFailure
from trust_node import store as node
from trust_node.cohort.frozen import store as frozen
from trust_node.imaging import store
from trust_node.imaging.again import PATIENCE, again
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.deid import DeidKeys
from trust_node.imaging.store import Study


class UnknownStudyError(LookupError):
    """No such study was asked for; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Asks:
    """``patience`` is how long a study may be on its way before its silence has failed."""

    trust_id: str
    patience: timedelta = PATIENCE

    async def plan(self, uow: UnitOfWork, project_id: str, keys: DeidKeys) -> None:
        """Import the project's frozen cohort; what was imported before is proven again."""
        members = await node.members(uow.connection, project_id)
        planned = sorted((keys.request(member.accession), member.accession) for member in members)
        await store.plan(uow.connection, project_id, planned)
        uow.emit(ImportPlanned(trust_id=self.trust_id, project_id=project_id, studies=len(planned)))
        await self.again(uow, project_id, [study for study, _ in planned])

    async def stop(self, uow: UnitOfWork, project_id: str) -> None:
        """Import nothing of the cohort any more: what is on its way ends as skipped."""
        for study in await store.studies(uow.connection, project_id):
            if not study.settled:
                await self.skip(uow, project_id, study.study)
        uow.emit(ImportPlanned(trust_id=self.trust_id, project_id=project_id, studies=0))

    async def retry(self, uow: UnitOfWork, project_id: str, study: str | None) -> list[str]:
        """Try what failed again, or what failed of one study, once the cohort is looked at; return which."""
        wanted = await self._named(uow, project_id, study)
        failed = [one.study for one in wanted if one.failed]
        await frozen.look_first(uow.connection, project_id)
        await self.again(uow, project_id, failed)
        return failed

    async def skip(self, uow: UnitOfWork, project_id: str, study: str) -> None:
        """Leave a study out: nothing more is tried for it until somebody asks."""
        (found,) = await self._named(uow, project_id, study)
        await store.settle(uow.connection, found, rest="skipped")
        uow.emit(self._advanced(found, rest="skipped"))

    async def reimport(self, uow: UnitOfWork, project_id: str, study: str) -> None:
        """Bring a study in from scratch, once the cohort is looked at."""
        (found,) = await self._named(uow, project_id, study)
        await frozen.look_first(uow.connection, project_id)
        await store.drop_jobs(uow.connection, project_id, found.study)
        await again(uow, project_id, [found.study], fresh=True, patience=self.patience)

    async def switch_conversion(self, uow: UnitOfWork, project_id: str, *, on: bool) -> None:
        """Convert the project's images from now on, those that are here too, or no longer."""
        await node.switch_conversion(uow.connection, project_id, on=on)
        waiting = [one.study for one in await store.studies(uow.connection, project_id) if on and _archived_only(one)]
        await self.again(uow, project_id, waiting)
        uow.emit(ConversionSet(trust_id=self.trust_id, project_id=project_id, on=on, waiting=len(waiting)))

    async def settle_overdue(self, uow: UnitOfWork, project_id: str) -> None:
        """What is still on its way after its deadline has failed."""
        for study in await store.overdue(uow.connection, project_id, uow.now):
            await self.fail(uow, study, FailureCode.TIMED_OUT)

    async def fail(self, uow: UnitOfWork, study: Study, code: FailureCode) -> None:
        await store.settle(uow.connection, study, code=code.value)
        uow.emit(self._advanced(study, failure=StudyFailure(code=code.value, final=True)))

    async def again(self, uow: UnitOfWork, project_id: str, studies: list[str]) -> None:
        await again(uow, project_id, studies, patience=self.patience)

    async def _named(self, uow: UnitOfWork, project_id: str, study: str | None) -> list[Study]:
        if study is None:
            return await store.studies(uow.connection, project_id)
        found = await store.study(uow.connection, project_id, study)
        if found is None:
            raise UnknownStudyError(f"{study} was not asked for by {project_id}: see `trustflow node import status`")
        return [found]

    def _advanced(self, study: Study, **end: object) -> StudyAdvanced:
        return StudyAdvanced.model_validate(
            {
                "trust_id": self.trust_id,
                "project_id": study.project_id,
                "study": study.study,
                "state": study.state,
                "attempt": study.attempt,
                "expected": study.expected,
                "present": study.received,
                **end,
            }
        )


def _archived_only(study: Study) -> bool:
    return study.settled and study.rest != "skipped" and study.state == "archived" and study.archived > 0
