"""Histograms of measurements: the edges are public, fixed or asked for; no bin is drawn by a patient's value."""

import re
from dataclasses import dataclass

from trust_node.cohort.release import Key
from trust_node.cohort.statistics.asked import NOT_KNOWN, Asked, Labels
from trust_node.cohort.statistics.members import with_members
from trust_node.cohort.warehouse.wording import Rows

NAME = re.compile(r"measurement_(\d{1,10})(?:_(\d{1,7})_(\d{1,7})_(\d{1,7}))?")
MOST_BINS = 40
LARGEST_CONCEPT = 2**31 - 1

# Renard's preferred numbers (ISO 3, R10): ten bins for every power of ten.
_PREFERRED = ("1", "1.25", "1.6", "2", "2.5", "3.2", "4", "5", "6.3", "8")
GRID = tuple(f"{float(number) * 10**power:.6g}" for power in range(-3, 6) for number in _PREFERRED)


class BadBinsError(Exception):
    """The name of a histogram asks for bins that there are not; its text says what to write."""


@dataclass(frozen=True, slots=True)
class Bins:
    """``edges``, rising, as decimal text: a bin holds its lower edge. Below the first and from the last on is open."""

    edges: tuple[str, ...]

    def told(self, key: tuple[Key, ...]) -> tuple[Labels, ...]:
        """Return unit, lower and upper edge of (unit, number of the bin); an open end is empty."""
        unit, number = key
        at = int(number or 0)
        low = self.edges[at - 1] if at else ""
        high = self.edges[at] if at < len(self.edges) else ""
        return ((NOT_KNOWN if unit is None else str(unit), low, high),)


def histogram(name: str, listing: Rows) -> Asked | None:
    """Return the histogram of each person's latest value, or None: the name is of no histogram.

    `measurement_3004249` has bins of a fixed grid, `measurement_3004249_80_200_10` from 80 to 200 by 10.

    Raises
    ------
    BadBinsError
        The bins or the concept are out of bounds.
    """
    asked = NAME.fullmatch(name)
    if asked is None:
        return None
    concept, *of_bins = (None if part is None else int(part) for part in asked.groups())
    if concept is None or concept > LARGEST_CONCEPT:
        raise BadBinsError(f"{name}: the concept is at most {LARGEST_CONCEPT}.")
    bins = _bins(name, [number for number in of_bins if number is not None])
    title = f"Latest value of measurement {concept}, one for each person"
    sql = with_members(listing, _latest(concept, bins))
    return Asked(name, title, ("unit", "from", "below"), sql, width=2, told=bins.told)


def _bins(name: str, asked: list[int]) -> Bins:
    if not asked:
        return Bins(GRID)
    low, high, step = asked
    if step < 1 or high <= low or (high - low) > MOST_BINS * step:
        raise BadBinsError(f"{name}: write measurement_CONCEPT_FROM_TO_STEP, FROM below TO, at most {MOST_BINS} steps.")
    return Bins(tuple(str(edge) for edge in range(low, high + 1, step)))


def _latest(concept: int, bins: Bins) -> str:
    number = " ".join(f"WHEN value.value_as_number < {edge} THEN {at}" for at, edge in enumerate(bins.edges))
    return f"""SELECT coalesce(unit.concept_name, value.unit_concept_id::text),
    CASE {number} ELSE {len(bins.edges)} END, value.person_id
    FROM (SELECT DISTINCT ON (one.person_id) one.person_id, one.value_as_number, one.unit_concept_id
        FROM measurement AS one WHERE one.measurement_concept_id = {concept} AND one.value_as_number IS NOT NULL
        AND one.person_id IN (SELECT person_id FROM members)
        ORDER BY one.person_id, one.measurement_date DESC, one.measurement_id DESC) AS value
    LEFT JOIN concept AS unit ON unit.concept_id = value.unit_concept_id"""  # noqa: S608  numbers only
