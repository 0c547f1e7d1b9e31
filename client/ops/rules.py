"""How the broker's rules come to be those of `schemas/topics.py`: what it lacks, and what it has beyond them."""

from collections.abc import Iterable
from dataclasses import dataclass

from bus.admin.broker_admin import BrokerAdmin
from bus.speaker import Speaker
from client.ops.account import Act, Warrant, accounted
from schemas.topics import Acl, Quota, acls, quotas


@dataclass(frozen=True, slots=True)
class Difference:
    """Rules and quotas that the broker lacks, and rules that it has beyond ours."""

    missing: tuple[Acl, ...] = ()
    extra: tuple[Acl, ...] = ()
    unbounded: tuple[Quota, ...] = ()

    def __len__(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.unbounded)


def beyond(wanted: Iterable[Acl], live: Iterable[Acl]) -> tuple[tuple[Acl, ...], tuple[Acl, ...]]:
    """Rules that are missing, and rules that are not wanted."""
    ours, theirs = frozenset(wanted), frozenset(live)
    return tuple(sorted(ours - theirs, key=str)), tuple(sorted(theirs - ours, key=str))


async def compare(admin: BrokerAdmin, trusts: Iterable[str]) -> Difference:
    """What differs on the broker from what these trusts need."""
    known = tuple(trusts)
    missing, extra = beyond(acls(known), await admin.acls())
    unbounded = frozenset(quotas(known)) - await admin.quotas()
    return Difference(missing, extra, tuple(sorted(unbounded, key=str)))


async def apply(admin: BrokerAdmin, speaker: Speaker, todo: Difference, warrant: Warrant) -> None:
    """Add what is missing, set quotas, and remove what is extra."""
    if not todo:
        return
    about = f"add {len(todo.missing)} rules, remove {len(todo.extra)}, set {len(todo.unbounded)} quotas"
    async with accounted(speaker, warrant, Act("apply_acls", about, len(todo))) as progress:
        if todo.missing:
            await admin.ensure_acls(todo.missing)
        if todo.extra:
            await admin.drop_acls(todo.extra)
        if todo.unbounded:
            await admin.ensure_quotas(todo.unbounded)
        progress.count = len(todo)
