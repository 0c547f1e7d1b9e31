"""A query in the making: named queries that narrow the index events down, and conditions still to be put on them."""

# ruff: noqa: S608  literals are numbers and dates only, names come from the table of domains
from collections.abc import Iterable

from schemas.criteria.cohort import Criteria, Group, ObservationWindow, Windowed
from schemas.criteria.conditions import Conditions
from schemas.criteria.criterion import Anchor, Rows
from schemas.criteria.events import Chosen
from schemas.criteria.ranges import Limit
from schemas.criteria.text import both, shift
from schemas.criteria.vocabulary import ConceptSets
from schemas.criteria.windows import placed

_EVENT = Anchor("e.person_id", "e.started", "e.ended", "e.seen_from", "e.seen_to")
_COLUMNS = "e.person_id, e.started, e.ended, e.seen_from, e.seen_to"


class Narrowing:
    """The index events `e`: rows of the last named query for which all pending conditions hold."""

    def __init__(self, criteria: Criteria) -> None:
        primary = criteria.primary_criteria
        self._conditions = Conditions(ConceptSets(criteria.concept_sets))
        events = (_index_event(self._conditions, each, primary.observation_window) for each in primary.chosen)
        self._named = ["events AS (" + "\nUNION ALL ".join(events) + ")"]
        self._source = "events"
        self._pending: list[str] = []
        self.keep(primary.primary_criteria_limit, "ranked")

    def require(self, groups: Iterable[Group]) -> None:
        self._pending += [self._conditions.group(group, _EVENT) for group in groups]

    def keep(self, limit: Limit, name: str) -> None:
        """Keep each person's first or last of the events left; `name` names the query that numbers them."""
        if limit.type == "All":
            return
        order = "e.started, e.ended" if limit.type == "First" else "e.started DESC, e.ended DESC"
        numbered = f"{_COLUMNS}, row_number() OVER (PARTITION BY e.person_id ORDER BY {order}) AS nth"
        self._named.append(f"{name} AS (SELECT {numbered} {self._left()})")
        self._source, self._pending = name, ["e.nth = 1"]

    def people(self) -> str:
        return self._text(f"SELECT DISTINCT e.person_id {self._left()}")

    def images(self, windowed: Windowed, *, accession: bool) -> str:
        """Return the query for the people who have such images, with the accession numbers if asked for.

        The join is an outer one, so that the planner can't read all images again for each index event.
        """
        self._named.append(f"chosen AS (SELECT {_COLUMNS}, 1 AS kept {self._left()})")
        rows = self._conditions.rows(windowed.chosen)
        on = [*placed(windowed, rows, _EVENT), *self._conditions.nested(windowed.chosen, rows, _EVENT)]
        where = [*rows.conditions, f"{rows.alias}.accession_id IS NOT NULL", "COALESCE(e.kept, 0) = 1"]
        columns = f"{rows.alias}.person_id" + (f", {rows.alias}.accession_id" if accession else "")
        return self._text(
            f"SELECT DISTINCT {columns} FROM {rows.source} LEFT JOIN chosen e ON {both(on)} WHERE {both(where)}"
        )

    def _left(self) -> str:
        return f"FROM {self._source} e" + (f" WHERE {both(self._pending)}" if self._pending else "")

    def _text(self, select: str) -> str:
        named = ",\n".join([*self._conditions.sets.queries, *self._named])
        return f"WITH {named}\n{select}"


def _index_event(conditions: Conditions, chosen: Chosen, window: ObservationWindow) -> str:
    """Return the query for events of one kind, each with the observation period that it lies in."""
    rows = conditions.rows(chosen)
    anchor = Anchor(
        f"{rows.alias}.person_id",
        rows.start,
        rows.end,
        "o.observation_period_start_date",
        "o.observation_period_end_date",
    )
    where = [*_observed(rows, window, anchor), *rows.conditions, *conditions.nested(chosen, rows, anchor)]
    return (
        f"SELECT {rows.alias}.person_id, {rows.start} AS started, {rows.end} AS ended, "
        f"{anchor.seen_from} AS seen_from, {anchor.seen_to} AS seen_to FROM {rows.source} "
        f"JOIN observation_period o ON o.person_id = {rows.alias}.person_id WHERE {both(where)}"
    )


def _observed(rows: Rows, window: ObservationWindow, anchor: Anchor) -> tuple[str, str]:
    return (
        f"{rows.start} >= {shift(anchor.seen_from, window.prior_days)}",
        f"{shift(rows.start, window.post_days)} <= {anchor.seen_to}",
    )
