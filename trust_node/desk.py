"""Where a person at the trust acts: on the node's own database, by units of work like those of its handlers."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bus.database import open_pool
from bus.proof.audit import Entry
from bus.proof.signing import Author, Signer
from bus.uow import UnitOfWork, flush, new_id
from schemas.topics import trust_principal
from trust_node.policy import Policy
from trust_node.settings import Settings


class NotEntitledError(ValueError):
    """This person may not decide for the trust; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The node's settings and the trust's policy, and through them its database."""

    settings: Settings
    policy: Policy

    @classmethod
    def open(cls, env_file: Path | None = None) -> Self:
        """Read the environment, over the variables of ``env_file``.

        Raises
        ------
        pydantic.ValidationError
            Naming the variables that are missing.
        """
        settings = Settings(_env_file=env_file)
        return cls(settings, Policy.read(settings.policy_file))

    def entitled(self, person: str) -> str:
        """Return ``person``, whom the policy names among its approvers."""
        if person not in self.policy.approvers:
            raise NotEntitledError(
                f"{person} is no approver of {self.settings.trust_id}: only whom its policy file names may decide this"
            )
        return person

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """One transaction; what it says and asks for leaves by the running node, or by the next that starts."""
        pool = await open_pool(self.settings.database_url.get_secret_value())
        try:
            async with pool.acquire() as connection, connection.transaction():
                author = Author(trust_principal(self.settings.trust_id), Signer.open(self.settings.signing_key_file))
                uow = UnitOfWork(connection, author, datetime.now(UTC))
                yield uow
                await flush(uow)
        finally:
            await pool.close()


def decided(uow: UnitOfWork, person: str, action: str, subject: str, reason: str) -> None:
    """Enter a person's decision into the trust's account; of the reason only its digest, the text stays where it is."""
    digest = hashlib.sha256(reason.encode()).hexdigest()
    uow.tell(Entry(uow.now, person, action, subject, "decided", new_id(), digest))
