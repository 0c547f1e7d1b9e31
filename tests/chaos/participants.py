"""The links of the chain: each writes a number down and passes it on, in one transaction."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bus.participant import Participant
from bus.router import Router
from bus.settings import BusSettings
from bus.uow import UnitOfWork
from schemas.message import Message
from tests.chaos.messages import ALPHA, BETA, DELTA, GAMMA, Arrived, PassedOn, Probe, Refused, Take, Taken
from tests.chaos.points import Fuse, lay

HEARS: Mapping[str, type[Message]] = {ALPHA: Take, BETA: PassedOn, GAMMA: Arrived, DELTA: Probe}
SAYS: Mapping[str, type[PassedOn | Arrived]] = {ALPHA: PassedOn, BETA: Arrived}
MIGRATIONS = Path(__file__).parent / "migrations"
ANSWERS = {ALPHA: {"accepted": Taken, "rejected": Refused}}


def participant(role: str, fuse: Fuse, kind: type[Participant] = Participant) -> Participant:
    async def die_young(_pool: Any, _uow: UnitOfWork) -> None:
        fuse.visit("at_start")

    return kind(
        name=role,
        settings=BusSettings.from_environment(),
        router=_router(role, fuse),
        subscription=f"^{HEARS[role].topic_template}$".replace(".", "\\."),
        migrations=MIGRATIONS,
        on_start=die_young,
        **ANSWERS.get(role, {}),
    )


def _router(role: str, fuse: Fuse) -> Router:
    router = Router()
    says = SAYS.get(role)

    @router.on(HEARS[role])
    async def on_number(message: Any, uow: UnitOfWork) -> None:
        await uow.connection.execute(
            "insert into effect (strand, number, pid) values ($1, $2, $3)", message.strand, message.number, os.getpid()
        )
        fuse.visit("mid_batch")
        if says:
            uow.emit(says(strand=message.strand, number=message.number))

    return router


def live(role: str, kind: type[Participant] = Participant) -> None:
    """Be this participant until SIGTERM, or until the fuse has burnt down."""
    fuse = Fuse.from_environment()
    lay(fuse)
    participant(role, fuse, kind).run()
