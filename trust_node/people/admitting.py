"""The work behind a change of a project's members: accounts in the trust's XNAT, and counts of them for the hub."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bus.lanes import Job
from schemas.trust_imaging import MembersSet, SetMembers
from trust_node import store
from trust_node.imaging.xnat import Xnat
from trust_node.people.mail import Mail
from trust_node.people.reconcile import Hindrance, reconcile


@dataclass(frozen=True, slots=True)
class Admitting:
    """``people`` are addresses of the trust's own policy; without ``mail`` no new account is opened."""

    trust_id: str
    xnat: Callable[[], Xnat]
    people: Mapping[str, str]
    mail: Mail | None

    async def work(self, message: SetMembers, job: Job) -> None:
        """Raises what the archive raises, to be tried again."""
        project = await self._project(message, job)
        if project is None:
            return
        done = await reconcile(self.xnat(), project, message.members, self.people, self.mail)
        async with job.done() as uow:
            uow.emit(
                MembersSet(
                    trust_id=self.trust_id,
                    project_id=message.project_id,
                    added=len(done.added),
                    removed=len(done.removed),
                    without_address=list(done.unknown.values()).count(Hindrance.NO_ADDRESS),
                    hindered=dict(Counter(why.value for why in done.unknown.values())) or None,
                )
            )

    async def _project(self, message: SetMembers, job: Job) -> str | None:
        """The XNAT project, made where the first study has not made it yet; none where the project has ended."""
        async with job.transaction() as uow:
            project = await store.project(uow.connection, message.project_id)
        if project is None or project.ended_at:
            return None
        return project.xnat_project or await self.xnat().ensure_project(project.project_id, project.name)
