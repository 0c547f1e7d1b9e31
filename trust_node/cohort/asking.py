"""What a command asks of the warehouse, judged as a whole before anything runs."""

from dataclasses import dataclass

from schemas.sql.judge import Frame, Listing, judge
from schemas.sql.refusal import Refused
from schemas.sql.tabulation import Tabulation
from schemas.trust import CountCohort
from trust_node.cohort.statistics import ALL, UnknownStatisticError, asked_for
from trust_node.cohort.statistics.asked import Asked
from trust_node.cohort.statistics.measurements import BadBinsError
from trust_node.cohort.statistics.tables import TABLES


class RefusedError(Exception):
    """The command may not run here; `line` and `column` are of the query, from 1."""

    def __init__(self, code: str, reason: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    listing: Listing


@dataclass(frozen=True, slots=True)
class Question:
    """A training frame is counted as a list is: its size may be told, and nothing else of it."""

    cohort: Listing | Frame | Tabulation
    rules: tuple[Rule, ...] = ()
    statistics: tuple[Asked, ...] = ()

    @property
    def table(self) -> Tabulation:
        if not isinstance(self.cohort, Tabulation):
            raise TypeError("a list has no table")
        return self.cohort

    @property
    def parts(self) -> int:
        """The cohort, each rule and each statistic."""
        return 1 + len(self.rules) + len(self.statistics)


def parts_of(message: CountCohort) -> int:
    """Return the parts of what a command asks for, before it is judged."""
    statistics = len(TABLES) - 1 + len(message.statistics) if ALL in message.statistics else len(message.statistics)
    return 1 + len(message.rules) + statistics


def question(message: CountCohort) -> Question:
    """Judge the query, its rules and its statistics.

    Raises
    ------
    RefusedError
        Any of them may not run here.
    """
    cohort = judge(message.sql)
    if isinstance(cohort, Refused):
        raise _refused(cohort)
    rules = tuple(Rule(rule.name, _rule(rule.name, rule.sql)) for rule in message.rules)
    return Question(cohort, rules, _statistics(message.statistics, cohort))


def _rule(name: str, sql: str) -> Listing:
    verdict = judge(sql)
    if isinstance(verdict, Refused):
        raise _refused(verdict, f'Rule "{name}": ')
    if not isinstance(verdict, Listing):
        raise RefusedError("rule_not_a_list", f'Rule "{name}": select person_id, so that who is left can be counted.')
    return verdict


def _statistics(names: tuple[str, ...], cohort: Listing | Frame | Tabulation) -> tuple[Asked, ...]:
    if not names:
        return ()
    if isinstance(cohort, Tabulation):
        raise RefusedError("not_a_list", "Statistics are of a list: select person_id or accession_id, and no counts.")
    try:
        return asked_for(names, cohort)
    except UnknownStatisticError as error:
        raise RefusedError("unknown_statistic", str(error)) from None
    except BadBinsError as error:
        raise RefusedError("bad_bins", str(error)) from None


def _refused(verdict: Refused, before: str = "") -> RefusedError:
    return RefusedError(verdict.code.value, f"{before}{verdict.sentence}"[:500], verdict.line, verdict.column)
