"""A trust's node without a hospital, as a process: it signs, keeps an account, and counts 120 persons for any query."""

from pathlib import Path

from bus.participant import Participant
from bus.proof.signing import Signer
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from schemas.topics import subscription, trust_principal
from schemas.trust import CohortCounted, CountCohort

router = Router()


class Settings(BusSettings):
    trust_id: str
    signing_key_file: Path


@router.on(CountCohort)
async def on_count_cohort(order: CountCohort, uow: UnitOfWork) -> None:
    about = {"trust_id": order.trust_id, "query_id": order.query_id, "project_id": order.project_id}
    uow.emit(CohortCounted(**about, outcome="counted", persons=120))


if __name__ == "__main__":
    settings = Settings.from_environment()
    name = trust_principal(settings.trust_id)
    Participant(
        name=name,
        settings=settings,
        router=router,
        subscription=subscription(name),
        signer=Signer.open(settings.signing_key_file),
    ).run()
