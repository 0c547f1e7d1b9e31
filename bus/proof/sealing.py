"""Saying where one's own account ends, and keeping what others say of theirs."""

import logging
from typing import Any

from bus.lanes import Job, Lane
from bus.proof.audit import LOCK_HEAD, SEAL_LANE, SealChain
from bus.router import Router
from bus.uow import UnitOfWork
from schemas.audit import HeadSealed, TrustHeadSealed
from schemas.topics import TRUST_PREFIX

log = logging.getLogger(__name__)

witnesses = Router()


def sealing_lane(participant: str) -> Lane:
    """The job that says the head waits in the database from the first entry on that has none: it dies with nobody."""

    async def seal(_order: SealChain, job: Job) -> None:
        async with job.done() as uow:
            head = await uow.connection.fetchrow(LOCK_HEAD)
            uow.emit(sealed(participant, head["seq"], head["hash"]))

    return Lane(SEAL_LANE, seal, _give_up, workers=1, attempts=1_000)


def sealed(participant: str, seq: int, hash_: str) -> HeadSealed | TrustHeadSealed:
    if participant.startswith(TRUST_PREFIX):
        return TrustHeadSealed(trust_id=participant.removeprefix(TRUST_PREFIX), seq=seq, hash=hash_)
    return HeadSealed(participant=participant, seq=seq, hash=hash_)


@witnesses.on(HeadSealed)
async def on_head_sealed(event: HeadSealed, uow: UnitOfWork) -> None:
    await _keep(uow, event.participant, event.seq, event.hash)


@witnesses.on(TrustHeadSealed)
async def on_trust_head_sealed(event: TrustHeadSealed, uow: UnitOfWork) -> None:
    await _keep(uow, f"{TRUST_PREFIX}{event.trust_id}", event.seq, event.hash)


async def _keep(uow: UnitOfWork, participant: str, seq: int, hash_: str) -> None:
    """What somebody else says of an account is no word of its owner's: all services write `audit.events`."""
    if uow.cause is None or uow.cause.source != f"/{participant}":
        log.critical("a head of %s was said by %s: not kept", participant, uow.cause.source if uow.cause else "nobody")
        return
    await uow.connection.execute(
        """insert into audit_witness (participant, seq, hash, message_id) values ($1, $2, $3, $4)
           on conflict do nothing""",
        participant,
        seq,
        hash_,
        uow.cause.id,
    )


def _give_up(_order: Any, _uow: UnitOfWork, code: str, _reason: str) -> None:
    log.error("the head of the audit chain could not be said (%s): it will be with the next entry", code)
