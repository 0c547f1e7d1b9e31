"""The ledger as a process of its own, as every service is one: load, decide, save, emit."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bus.documents import Documents
from bus.participant import Participant
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from tests.bench.ledger.messages import NAME, Booked, Posted


class Balance(BaseModel):
    model_config = ConfigDict(frozen=True)

    events: int = 0
    persons: int = 0


router = Router()
balances = Documents("balance", Balance)


@router.on(Posted)
async def on_posted(event: Posted, uow: UnitOfWork) -> None:
    balance = await balances.load(uow, event.account_id) or Balance()
    persons = balance.persons + sum(line.persons for line in event.lines)
    balances.save(uow, event.account_id, Balance(events=balance.events + 1, persons=persons))
    uow.emit(Booked(account_id=event.account_id, number=event.number))


if __name__ == "__main__":
    Participant(
        name=NAME,
        settings=BusSettings.from_environment(),
        router=router,
        subscription=r"^ledger\.posted$",
        migrations=Path(__file__).parent / "migrations",
    ).run()
