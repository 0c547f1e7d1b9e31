"""Where an event must lie around an anchor: time windows, and the anchor's observation period."""

from collections.abc import Iterator

from schemas.criteria.cohort import Windowed
from schemas.criteria.criterion import Anchor, Rows
from schemas.criteria.ranges import Window, WindowBound
from schemas.criteria.text import shift


def placed(windowed: Windowed, rows: Rows, anchor: Anchor) -> Iterator[str]:
    """Yield the conditions that tie the rows to the anchor's person and place them in time."""
    yield f"{rows.alias}.person_id = {anchor.person}"
    within = not windowed.ignore_observation_period
    if within:
        yield f"{rows.start} BETWEEN {anchor.seen_from} AND {anchor.seen_to}"
    if windowed.start_window:
        at_end = bool(windowed.start_window.use_event_end)
        yield from _bounds(windowed.start_window, rows.end if at_end else rows.start, anchor, within=within)
    if windowed.end_window:
        at_end = windowed.end_window.use_event_end is not False
        yield from _bounds(windowed.end_window, rows.end if at_end else rows.start, anchor, within=within)


def _bounds(window: Window, moment: str, anchor: Anchor, *, within: bool) -> Iterator[str]:
    index = anchor.end if window.use_index_end else anchor.start
    for operator, bound in ((">=", window.start), ("<=", window.end)):
        if bound.days is not None or within:
            yield f"{moment} {operator} {_edge(bound, index, anchor)}"


def _edge(bound: WindowBound, index: str, anchor: Anchor) -> str:
    if bound.days is not None:
        return shift(index, bound.coeff * bound.days)
    return anchor.seen_from if bound.coeff < 0 else anchor.seen_to
