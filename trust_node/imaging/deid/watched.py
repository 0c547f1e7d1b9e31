"""The leak check on what the fast way wrote: an element that was found clean for a patient is not read again."""

from dataclasses import dataclass, field, replace

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from trust_node.imaging.deid.fast import Rewritten
from trust_node.imaging.deid.leaks import Identity, check, identity, names_an_object
from trust_node.imaging.deid.memory import Kept
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.original import Original
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.results import Leaked
from trust_node.imaging.deid.uids import is_registered

MOST_WATCHED = 32
MOST_CLEAN = 4_000
LARGEST_REMEMBERED = 2**11


@dataclass(slots=True)
class _Watch:
    """What is known of a patient, and the elements in which none of it was found."""

    identity: Identity
    clean: set[bytes] = field(default_factory=set)

    def check(self, own_uids: frozenset[str], result: Rewritten) -> None:
        small = result.small
        fresh = [part for part in small if part not in self.clean]
        known = replace(self.identity, uids=self.identity.uids | own_uids)
        swept = b"".join(small)
        # A UID of this instance may stand in an element that was clean for the instance before.
        doubtful = small if any(uid.encode("latin-1") in swept for uid in own_uids) else fresh
        refuse_leaks(known, result.meta + b"".join(doubtful))
        self._remember(fresh)

    def _remember(self, fresh: list[bytes]) -> None:
        if len(self.clean) > MOST_CLEAN:
            self.clean.clear()
        self.clean.update(part for part in fresh if len(part) <= LARGEST_REMEMBERED)


_watches: Kept[tuple[object, ...], _Watch] = Kept(MOST_WATCHED)


def watch(original: Original, result: Rewritten, plan: DeidPlan, shared: bytes) -> None:
    """Make sure that nothing of the original's patient is left in the result; native pixels aren't looked through.

    Raises
    ------
    Leaked
        If something is.
    """
    patients = _watches.get((plan.digest, original.explicit, shared), lambda: _Watch(whose(original.header(), plan)))
    own = frozenset[str]() if Option.RETAIN_UIDS in plan.profile.options else _own_uids(original)
    patients.check(own, result)


def refuse_leaks(known: Identity, written: bytes) -> None:
    """Raise `Leaked` if a file, as it is going to be written, holds something of the patient."""
    findings = check(known, written)
    if findings:
        raise Leaked(tuple(finding.place for finding in findings))


def whose(original: Dataset, plan: DeidPlan) -> Identity:
    """Gather what must not be found again under the plan."""
    options = plan.profile.options
    return identity(
        original,
        uids=Option.RETAIN_UIDS not in options,
        institution=Option.RETAIN_INSTITUTION_IDENTITY not in options,
    )


def _own_uids(original: Original) -> frozenset[str]:
    """Return the top-level UIDs of this instance; those in sequences are the same for all slices of a watch."""
    tags = (tag for tag, piece in original.found.items() if piece.vr == "UI" and names_an_object(keyword_for_tag(tag)))
    uids = {uid for tag in tags for uid in original.uid(tag).split("\\")}
    return frozenset(uid for uid in uids if uid and not is_registered(uid))
