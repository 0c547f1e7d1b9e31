"""Runs a retrieval in a thread of its own and ends it when nothing comes any more."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Protocol

from trust_node.imaging.pacs.hits import Outcome
from trust_node.imaging.pacs.troubles import PacsError, Trouble

LOOKS = 20
LONGEST_LOOK_S = 1.0
GRACE_S = 5.0


class Retrieval(Protocol):
    """One study on its way. `run` blocks; the others are called from elsewhere meanwhile."""

    def run(self) -> Outcome: ...
    def progress(self) -> object:
        """Return something that differs whenever something has come; raise what must end the retrieval."""

    def cancel(self) -> None:
        """Ask the PACS to stop."""

    def abort(self) -> None:
        """Make `run` end soon, whatever the PACS does."""


async def watched(retrieval: Retrieval, stall_s: float) -> Outcome:
    """Return how a retrieval ended; it is cancelled, then aborted, where nothing comes for `stall_s`.

    Raises
    ------
    PacsError
        `stalled` in that case, and what the retrieval raises.
    """
    running = asyncio.ensure_future(asyncio.to_thread(retrieval.run))
    try:
        if await _ends_or_stalls(running, retrieval, stall_s):
            return running.result()
        raise PacsError(Trouble.STALLED, f"nothing for {stall_s:g} s")
    finally:
        await _ended(running, retrieval)


async def _ends_or_stalls(running: asyncio.Future[Outcome], retrieval: Retrieval, stall_s: float) -> bool:
    """Return whether it ended by itself."""
    seen, since = None, monotonic()
    while monotonic() - since < stall_s:
        await asyncio.wait({running}, timeout=min(stall_s / LOOKS, LONGEST_LOOK_S))
        if running.done():
            return True
        now = await asyncio.to_thread(retrieval.progress)
        if now != seen:
            seen, since = now, monotonic()
    return False


async def _ended(running: asyncio.Future[Outcome], retrieval: Retrieval) -> None:
    if running.done():
        return
    retrieval.cancel()
    await asyncio.wait({running}, timeout=GRACE_S)
    retrieval.abort()
    with suppress(PacsError):
        await running
