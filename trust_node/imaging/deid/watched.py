"""The leak check on what the fast way wrote: an element that was found clean for a patient is not read again."""

from dataclasses import dataclass, field, replace

from trust_node.imaging.deid.encoding import decoded
from trust_node.imaging.deid.fast import Rewritten
from trust_node.imaging.deid.judged import steady
from trust_node.imaging.deid.leaks import Identity, identity, leaks
from trust_node.imaging.deid.memory import Kept
from trust_node.imaging.deid.original import Original

MOST_WATCHED = 64
MOST_CLEAN = 20_000
_CHARSET = 0x00080005


@dataclass(slots=True)
class _Watch:
    """A patient's words, and the elements in which none of them was found."""

    identity: Identity
    clean: set[bytes] = field(default_factory=set)

    def leaks(self, uids: frozenset[str], charset: bytes, elements: list[bytes]) -> list[str]:
        fresh = [element for element in elements if element not in self.clean]
        if not fresh:
            return []
        return leaks(replace(self.identity, uids=uids), decoded(charset + b"".join(fresh), explicit=True))


_watches: Kept[tuple[object, ...], _Watch] = Kept(MOST_WATCHED)
