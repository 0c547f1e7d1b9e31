"""Released figures in words: approximate, never zero, and hidden ones say so without saying more."""

import math
from collections.abc import Iterable

from schemas.cohort import Spent, TrustAdvanced, TrustCounted
from schemas.views import QueryView

TOO_FEW = "too few"
FULL, PARTS = "█", " ▏▎▍▌▋▊▉"
ANSWERS = ("counted", "suppressed", "refused")
TROUBLES = ("failed", "timed_out")
CANCELLED = "cancelled"


def about(persons: int | None, margin: int | None = None) -> str:
    """Such as ``about 340 (± 20)``; a hidden figure and a zero both are ``too few``."""
    if not persons:
        return TOO_FEW
    return f"about {persons:,} (± {margin:,})" if margin else f"about {persons:,}"


def bar(value: int | None, top: int, width: int = 30) -> str:
    """A bar of ``width`` characters where ``value`` is ``top``; nothing is drawn for what is hidden."""
    if not value or top <= 0:
        return ""
    eighths = max(1, round(8 * width * min(value, top) / top))
    return FULL * (eighths // 8) + PARTS[eighths % 8].strip()


def joint_margin(margins: Iterable[int | None]) -> int | None:
    """The margin of a sum or a difference of independent figures; None where any is not told."""
    known = list(margins)
    if not known or any(margin is None for margin in known):
        return None
    return round(math.sqrt(sum((margin or 0) ** 2 for margin in known)))


def summary(view: QueryView) -> str:
    """Such as ``5 of 6 trusts answered, total about 340 (± 20) persons at the 4 that released a number``."""
    answered = sum(answer.outcome in ANSWERS for answer in view.answers.values())
    head = f"{answered} of {len(view.trusts)} trusts answered"
    if view.total is None:
        return head
    if not view.total.persons:
        grouped = sum(bool(answer.cells) for answer in view.answers.values())
        return f"{head}, {grouped} released groups" if grouped else f"{head}, none released a number"
    margin = joint_margin(answer.margin for answer in released(view).values())
    studies = f" and {about(view.total.studies)} studies" if view.total.studies else ""
    where = "" if view.total.counted == len(view.trusts) else f" at the {view.total.counted} that released a number"
    return f"{head}, total {about(view.total.persons, margin)} persons{studies}{where}"


def released(view: QueryView) -> dict[str, TrustCounted]:
    """The answers that hold a number, by trust."""
    return {trust: answer for trust, answer in view.answers.items() if answer.persons}


def standing(answer: TrustCounted | None, progress: TrustAdvanced | None) -> str:
    """Where one trust is with a query, in a few words."""
    if answer is not None:
        return CANCELLED if answer.code == CANCELLED else answer.outcome.replace("_", " ")
    if progress is None:
        return "asked"
    if progress.waiting:
        return "waiting its turn"
    return f"part {min(progress.done + 1, progress.parts)} of {progress.parts}"


def spending(spent: Spent) -> str:
    """How much of a trust's budget of answers is gone."""
    return (
        f"you {spent.user_today} of {spent.user_daily} answers today, "
        f"the project {spent.project_today} of {spent.project_daily} today "
        f"and {spent.project_ever} of {spent.project_limit} in all"
    )


def troubled(view: QueryView) -> tuple[str, ...]:
    """Trusts where something went wrong that their data managers can look into."""
    answers = ((trust, view.answers.get(trust)) for trust in view.trusts)
    return tuple(trust for trust, told in answers if told and told.outcome in TROUBLES and told.code != CANCELLED)


def why(answer: TrustCounted) -> str:
    """Why there is no number, with the place in the query where the trust names one."""
    if not answer.code:
        return ""
    place = f" at {answer.line}:{answer.column}" if answer.line and answer.column else ""
    return f"{answer.code}{place}: {answer.reason}" if answer.reason else f"{answer.code}{place}"


def pointed(sql: str, line: int, column: int) -> str:
    """The line of a query and a caret under the column, both from 1; empty where the query has no such line."""
    lines = sql.splitlines()
    if not 1 <= line <= len(lines):
        return ""
    shown = lines[line - 1].expandtabs(1)
    start = max(0, column - 60)
    gutter = f"{line} | "
    return f"{gutter}{shown[start : start + 100]}\n{' ' * (len(gutter) - 2)}| {' ' * (column - 1 - start)}^"
