"""What a person's decision does: it is entered, accounted for, and the study goes on."""

from collections.abc import Sequence

from bus.uow import UnitOfWork
from trust_node.desk import decided
from trust_node.imaging.again import again
from trust_node.imaging.holds import store
from trust_node.imaging.holds.store import Hold, Ruling


class NothingWaitsError(LookupError):
    """No image waits where somebody wants to decide; the text names the remedy."""


async def decide(uow: UnitOfWork, project_id: str, study: str, images: Sequence[str], ruling: Ruling) -> list[Hold]:
    """Release or reject a study's waiting images, all of them where none is named; the study is imported again.

    A released image goes through the profile like any other: only the rule that held it is passed over. The
    decision, who made it and the digest of the reason enter the trust's account.

    Raises
    ------
    NothingWaitsError
        If no image of the study waits, or one of ``images`` does not.
    """
    there = await store.waiting(uow.connection, project_id, study)
    missing = set(images) - {hold.image for hold in there}
    if missing or not there:
        what = ", ".join(sorted(missing)) or "nothing"
        raise NothingWaitsError(f"{what} of {study} waits for a decision: see `trustflow node hold list`")
    chosen = [hold for hold in there if not images or hold.image in images]
    await store.settle(uow.connection, chosen, ruling, uow.now)
    decided(uow, ruling.person, f"hold.{ruling.verdict}", f"{project_id}/{study}", ruling.why)
    await again(uow, project_id, await store.requests_of(uow.connection, project_id, study))
    return chosen
