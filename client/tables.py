"""The released tables of a query, trust by trust and side by side: pure, for a terminal, a chart or a UI alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from client.labels import Keys, captions, edges, in_order, spoken
from schemas.cohort import Statistic, TrustCounted
from schemas.quantiles import Bin, quantile
from schemas.views import QueryView

ANSWER = "answer"
"""The name under which the cells of a grouped query stand beside its statistics."""

QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One table at several trusts.

    ``rows`` maps the keys of a cell to its persons at each trust of ``told``; None is hidden, be it zero or too few.
    ``missing`` says why a trust has no such table.
    """

    name: str
    title: str
    keys: Keys
    unit: str | None
    told: tuple[str, ...]
    rows: Mapping[Keys, Mapping[str, int | None]]
    missing: Mapping[str, str]

    @property
    def captions(self) -> Keys:
        return captions(self.keys, self.unit)

    def spoken(self, keys: Keys) -> Keys:
        """The keys of a cell in words, one for each caption."""
        return spoken(self.keys, keys)

    def persons(self, keys: Keys, trust: str) -> int | None:
        """What a trust released of a cell; None where it is hidden or not among the rows."""
        return self.rows.get(keys, {}).get(trust)

    def share(self, keys: Keys, trust: str) -> float | None:
        """Which part of a trust's released cells this one is, from 0 to 1."""
        persons, total = self.rows[keys][trust], sum(row[trust] or 0 for row in self.rows.values())
        return persons / total if persons else None

    def spread(self, keys: Keys) -> float | None:
        """How far the largest share of a cell is from the smallest among trusts that tell it, from 0 to 1."""
        shares = [share for trust in self.told if (share := self.share(keys, trust)) is not None]
        return max(shares) - min(shares) if len(shares) > 1 else None


def tables_of(answer: TrustCounted) -> tuple[Statistic, ...]:
    """Every table of a trust's answer; a grouped query's own cells come first, named ``answer``."""
    if not answer.cells:
        return answer.statistics
    keys = answer.keys or tuple(f"key {number}" for number in range(1, len(answer.cells[0].keys) + 1))
    return (Statistic(name=ANSWER, title="The query's groups", keys=keys, cells=answer.cells), *answer.statistics)


def side_by_side(view: QueryView, only: str | None = None) -> tuple[SideBySide, ...]:
    """Every table that any trust told, or the one of this name."""
    told: dict[str, dict[str, Statistic]] = {}
    for trust in view.trusts:
        for statistic in tables_of(view.answers[trust]) if trust in view.answers else ():
            told.setdefault(statistic.name, {})[trust] = statistic
    return tuple(_beside(name, by_trust) for name, by_trust in told.items() if only in (None, name))


def quartiles(beside: SideBySide, trust: str, among: Keys = ()) -> tuple[float | None, ...] | None:
    """Where a quarter, a half and three quarters of a trust's released persons lie in a histogram.

    None in the place of one that lies in an open bin; None for all where the table is no histogram or nothing was
    released.

    Parameters
    ----------
    among
        What the keys of the bins begin with, such as the unit of a measurement.
    """
    bins = [
        Bin(*edge, row[trust] or 0)
        for keys, row in beside.rows.items()
        if (edge := edges(beside.keys, keys)) and keys[: len(among)] == among
    ]
    return tuple(quantile(bins, part) for part in QUARTERS) if any(one.persons for one in bins) else None


def _beside(name: str, by_trust: Mapping[str, Statistic]) -> SideBySide:
    first = next(iter(by_trust.values()))
    having = {trust: statistic for trust, statistic in by_trust.items() if statistic.missing is None}
    values = {trust: {cell.keys: cell.persons or None for cell in table.cells} for trust, table in having.items()}
    return SideBySide(
        name=name,
        title=first.title,
        keys=first.keys,
        unit=first.unit,
        told=tuple(having),
        rows={
            keys: {trust: cells.get(keys) for trust, cells in values.items()}
            for keys in in_order(cell.keys for table in having.values() for cell in table.cells)
        },
        missing={trust: table.missing for trust, table in by_trust.items() if table.missing is not None},
    )
