"""Who hears what the ledger books: the far end of a hop."""

from pathlib import Path

from bus.documents import Documents
from bus.participant import Participant
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from tests.bench.ledger.messages import AUDITOR, Booked

router = Router()


heard = Documents("heard", Booked)


@router.on(Booked)
async def on_booked(event: Booked, uow: UnitOfWork) -> None:
    assert uow.cause
    assert uow.cause.causationid
    heard.save(uow, uow.cause.causationid, event)


if __name__ == "__main__":
    Participant(
        name=AUDITOR,
        settings=BusSettings.from_environment(),
        router=router,
        subscription=r"^ledger\.booked$",
        migrations=Path(__file__).parent / "migrations",
    ).run()
