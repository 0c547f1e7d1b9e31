"""Every command is answered, and the same command again by the same answer."""

from dataclasses import dataclass

from bus.database import Connection
from bus.uow import UnitOfWork
from schemas.envelope import Envelope
from schemas.message import Accepted, Rejected


@dataclass(frozen=True, slots=True)
class Answers:
    """How one consumer answers; a trust node, which is ordered and not asked, has neither."""

    consumer: str
    accepted: type[Accepted] | None = None
    rejected: type[Rejected] | None = None

    def accept(self, uow: UnitOfWork, envelope: Envelope) -> None:
        if self.accepted:
            uow.emit(self.accepted(**_about(envelope)))

    def reject(self, uow: UnitOfWork, envelope: Envelope, code: str, reason: str) -> None:
        if self.rejected is None:
            raise TypeError(f"{self.consumer} answers no commands, yet was to reject {envelope.type}")
        uow.emit(self.rejected(**_about(envelope), code=code, reason=reason))

    async def again(self, uow: UnitOfWork, envelope: Envelope) -> None:
        """Whoever sends a command twice may have missed the first answer."""
        refused = await uow.connection.fetchrow(
            "select rejected_code, rejected_reason from inbox where consumer = $1 and event_id = $2",
            self.consumer,
            envelope.id,
        )
        if refused["rejected_code"]:
            self.reject(uow, envelope, refused["rejected_code"], refused["rejected_reason"])
        else:
            self.accept(uow, envelope)

    async def remember(self, connection: Connection, envelope: Envelope, code: str, reason: str) -> None:
        """Keep a refusal beside the id of its command."""
        await connection.execute(
            "insert into inbox (consumer, event_id, rejected_code, rejected_reason) values ($1, $2, $3, $4)",
            self.consumer,
            envelope.id,
            code,
            reason,
        )


def _about(envelope: Envelope) -> dict[str, str]:
    return {"command_id": envelope.id, "command_type": envelope.type, "subject": envelope.subject}
