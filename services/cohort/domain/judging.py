"""The judge, asked before anything is sent: it spares a round trip. What counts is each trust's own verdict."""

from collections.abc import Iterable

from bus.errors import Rejection
from schemas.cohort import Rule
from schemas.sql.judge import Accepted, Listing, judge
from schemas.sql.refusal import Refused

MOST_RULES = 30
LONGEST_REASON = 500


def require_allowed(sql: str) -> None:
    """Raises Rejection with the judge's code and the place of the fault."""
    _allowed(sql, "")


def require_allowed_rules(rules: Iterable[Rule]) -> None:
    """Each rule is a list of who is left; raises Rejection, which names the rule."""
    rules = tuple(rules)
    if len(rules) > MOST_RULES:
        raise Rejection("too_many_rules", f"Give at most {MOST_RULES} rules; there are {len(rules)}.")
    for rule in rules:
        _require_list(rule.sql, f'Rule "{rule.name}": ')


def _require_list(sql: str, what: str) -> None:
    if not isinstance(_allowed(sql, what), Listing):
        raise Rejection("rule_not_a_list", f"{what}select person_id, so that who is left can be counted.")


def _allowed(sql: str, what: str) -> Accepted:
    verdict = judge(sql)
    if isinstance(verdict, Refused):
        raise _rejection(verdict, what)
    return verdict


def _rejection(refused: Refused, what: str) -> Rejection:
    return Rejection(refused.code, f"{what}{_place(refused)}{refused.sentence}"[:LONGEST_REASON])


def _place(refused: Refused) -> str:
    return "" if refused.line is None else f"line {refused.line}, column {refused.column}: "
