"""Ends what a peer would let last for ever, a byte at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

LONGEST_QUERY_S = 600.0


@contextmanager
def ends_within(seconds: float, cut: Callable[[], None]) -> Iterator[None]:
    """Call `cut`, from another thread, unless the block ends before."""
    late = Timer(seconds, cut)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()
