"""Every command is answered, and the same command again by the same answer."""

from dataclasses import dataclass

from bus.database import Connection
from bus.errors import Late, Rejection
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

    async def again(self, uow: UnitOfWork, envelope: Envelope, asked: str | None) -> None:
        """Whoever sends a command twice may have missed the first answer; but two commands may not have one id."""
        if self.rejected is None:
            return
        first = await uow.connection.fetchrow(
            "select asked, rejected_code, rejected_reason from inbox where consumer = $1 and event_id = $2",
            self.consumer,
            envelope.id,
        )
        if first["asked"] != asked:
            self.reject(uow, envelope, "id_used", "Another command had this id: give each command an id of its own.")
        elif first["rejected_code"]:
            self.reject(uow, envelope, first["rejected_code"], first["rejected_reason"])
        else:
            self.accept(uow, envelope)

    async def remember(
        self, connection: Connection, envelope: Envelope, asked: str | None, refusal: Rejection | Late
    ) -> None:
        """Keep a refusal beside the id of its command."""
        await connection.execute(
            "insert into inbox (consumer, event_id, asked, rejected_code, rejected_reason) values ($1, $2, $3, $4, $5)",
            self.consumer,
            envelope.id,
            asked,
            refusal.code,
            refusal.reason,
        )


def _about(envelope: Envelope) -> dict[str, str]:
    return {"command_id": envelope.id, "command_type": envelope.type, "subject": envelope.subject}
