"""Messages out of fragments (PS3.7 6.3, PS3.8 annex E)."""

from collections.abc import Iterator

from trust_node.imaging.receiver.counters import Count
from trust_node.imaging.receiver.dimse import Command
from trust_node.imaging.receiver.errors import BY_USER, UNEXPECTED, Broken
from trust_node.imaging.receiver.fragments import Fragment
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.wire import Wire


def read_command(wire: Wire, first: Fragment, longest: int) -> Command:
    """Read the rest of a command set that `first` begins."""
    if not first.is_command:
        raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
    collected, last = bytes(first.data), first.is_last
    while not last and len(collected) <= longest:
        fragment = _next(wire, first.context, is_command=True)
        collected, last = collected + fragment.data, fragment.is_last
    if len(collected) > longest:
        raise Broken(BY_USER, Count.ABORTED_LIMIT)
    try:
        return Command.decode(collected)
    except MalformedError as wrong:
        raise Broken(BY_USER, Count.ABORTED_MALFORMED) from wrong


def read_data_set(wire: Wire, context: int) -> Iterator[bytes | memoryview]:
    """Yield a data set's pieces as they come, each good until the next."""
    last = False
    while not last:
        fragment = _next(wire, context, is_command=False)
        yield fragment.data
        last = fragment.is_last


def _next(wire: Wire, context: int, *, is_command: bool) -> Fragment:
    """A message is interrupted by no other, and by no release."""
    fragment = wire.fragment()
    if fragment is None or fragment.context != context or fragment.is_command != is_command:
        raise Broken(UNEXPECTED, Count.ABORTED_UNEXPECTED)
    return fragment
