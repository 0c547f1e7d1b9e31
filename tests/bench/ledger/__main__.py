"""The ledger as a process of its own, as every service is one."""

from pathlib import Path

from bus.participant import Participant
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from tests.bench.ledger.messages import NAME, Booked, Posted

router = Router()


@router.on(Posted)
async def on_posted(event: Posted, uow: UnitOfWork) -> None:
    await uow.connection.execute(
        """insert into balance values ($1, 1, $2) on conflict (account_id)
           do update set events = balance.events + 1, persons = balance.persons + excluded.persons""",
        event.account_id,
        sum(line.persons for line in event.lines),
    )
    uow.emit(Booked(account_id=event.account_id, number=event.number))


if __name__ == "__main__":
    Participant(
        name=NAME,
        settings=BusSettings.from_environment(),
        router=router,
        subscription=r"^ledger\.posted$",
        migrations=Path(__file__).parent / "migrations",
    ).run()
