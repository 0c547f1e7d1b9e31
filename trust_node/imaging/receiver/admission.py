"""Who is let in, and what is agreed on: pure decisions (PS3.8 7.1, 9.3.4; PS3.7 D.3)."""

from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from trust_node.imaging.receiver.counters import Count
from trust_node.imaging.receiver.errors import Broken
from trust_node.imaging.receiver.pdu import APPLICATION, Accept, Answered, Proposed, Reject, Request, User

VERIFICATION = "1.2.840.10008.1.1"
SHORTEST_PDU = 64
"""A peer that takes less at once would make hundreds of PDUs of one answer."""

_ACCEPTED, _NO_ABSTRACT_SYNTAX, _NO_TRANSFER_SYNTAX = 0, 3, 4
_NO_APPLICATION, _CALLING, _CALLED = Reject(1, 1, 2), Reject(1, 1, 3), Reject(1, 1, 7)
_NO_PROTOCOL, _BUSY, _LOCAL_LIMIT = Reject(1, 2, 2), Reject(2, 3, 1), Reject(1, 3, 2)


@dataclass(frozen=True, slots=True)
class Taken:
    """What we take: storage classes, transfer syntaxes, and the standard's classes that are no storage.

    With `unknown` a class that the standard does not know is taken for a private storage class.
    """

    classes: frozenset[str]
    syntaxes: frozenset[str]
    others: frozenset[str]
    unknown: bool

    def takes(self, abstract_syntax: str) -> bool:
        known = abstract_syntax in self.classes or abstract_syntax == VERIFICATION
        return known or (self.unknown and abstract_syntax not in self.others)


@dataclass(frozen=True, slots=True)
class Door:
    """`title` is ours, `titles` are those that may call us, from `networks` only."""

    title: str
    titles: tuple[str, ...]
    networks: tuple[str, ...]
    taken: Taken
    longest_pdu: int

    def is_neighbour(self, address: str) -> bool:
        """Tell whether a connection from there is listened to at all."""
        where = plain_address(address)
        return any(where in network for network in checked_networks(self.networks))

    def answer(self, asked: Request) -> Accept:
        """Agree on presentation contexts.

        Raises
        ------
        Broken
            With the rejection that the standard has for it.
        """
        self._let_in(asked)
        contexts = tuple(self._context(context) for context in asked.contexts)
        return Accept(asked.called, asked.calling, contexts, User(self.longest_pdu))

    def _let_in(self, asked: Request) -> None:
        if not asked.protocols & 1:
            raise Broken(_NO_PROTOCOL, Count.REFUSED_PROTOCOL)
        if asked.application != APPLICATION:
            raise Broken(_NO_APPLICATION, Count.REFUSED_PROTOCOL)
        if asked.called != self.title:
            raise Broken(_CALLED, Count.REFUSED_CALLED_TITLE)
        if asked.calling not in self.titles:
            raise Broken(_CALLING, Count.REFUSED_CALLING_TITLE)
        if 0 < asked.user.max_length < SHORTEST_PDU:
            raise Broken(_LOCAL_LIMIT, Count.REFUSED_PROTOCOL)

    def _context(self, asked: Proposed) -> Answered:
        if not self.taken.takes(asked.abstract_syntax):
            return Answered(asked.id, _NO_ABSTRACT_SYNTAX, asked.transfer_syntaxes[0])
        ours = [syntax for syntax in asked.transfer_syntaxes if syntax in self.taken.syntaxes]
        if not ours:
            return Answered(asked.id, _NO_TRANSFER_SYNTAX, asked.transfer_syntaxes[0])
        return Answered(asked.id, _ACCEPTED, ours[0])


def busy() -> Broken:
    """Too many are here already; the peer may come again."""
    return Broken(_BUSY, Count.REFUSED_BUSY)


def plain_address(address: str) -> IPv4Address | IPv6Address:
    """Read a socket's address; IPv4 that came over an IPv6 socket is IPv4 again."""
    where = ip_address(address.partition("%")[0])
    mapped = where.ipv4_mapped if isinstance(where, IPv6Address) else None
    return mapped or where


@cache
def checked_networks(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read networks.

    Raises
    ------
    ValueError
        If one is none, or has bits set beyond its length.
    """
    return tuple(map(ip_network, networks))
