"""Statistics of a cohort, asked for by name."""

from collections.abc import Iterable

from trust_node.cohort.statistics.asked import Asked
from trust_node.cohort.statistics.measurements import histogram
from trust_node.cohort.statistics.tables import TABLES
from trust_node.cohort.warehouse.wording import Rows

ALL = "all"
KNOWN = (*TABLES, "measurement_CONCEPT", "measurement_CONCEPT_FROM_TO_STEP")


class UnknownStatisticError(Exception):
    """Nobody has defined a statistic of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f'There is no statistic "{name}"; ask for all, or for {", ".join(KNOWN)}.')


def asked_for(names: Iterable[str], listing: Rows) -> tuple[Asked, ...]:
    """Return what is asked for, each once, in the order of asking; `all` stands for all but the measurements.

    Raises
    ------
    UnknownStatisticError, BadBinsError
    """
    wanted = dict.fromkeys(one for name in names for one in (TABLES if name == ALL else (name,)))
    return tuple(_named(name, listing) for name in wanted)


def _named(name: str, listing: Rows) -> Asked:
    if name in TABLES:
        return TABLES[name](listing)
    asked = histogram(name, listing)
    if asked is None:
        raise UnknownStatisticError(name)
    return asked
