"""The only wiring of the gateway."""

from typing import Any

from bus.participant import Participant
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from bus.views.generations import prepare
from schemas.topics import subscription
from schemas.views import VIEWS

NAME = "gateway"


def participant(settings: BusSettings) -> Participant:
    return Participant(
        name=NAME,
        settings=settings,
        router=Router(),
        subscription=subscription(NAME),
        views=VIEWS,
        on_start=_prepare,
    )


async def _prepare(_pool: Any, uow: UnitOfWork) -> None:
    await prepare(uow.connection, VIEWS)
