"""A query as a terminal shows it."""

from rich.console import Group, RenderableType
from rich.text import Text

from client.comparing import heaviest, losses
from client.figures import TOO_FEW, about, bar, pointed, spending, standing, summary, troubled, why
from client.tables import SideBySide, quartiles, side_by_side
from client.terminal import table
from schemas.cohort import TrustCounted
from schemas.views import QueryView


def picture(view: QueryView) -> RenderableType:
    """Where each trust is, refusals with the line at fault, the total, and what is spent of each budget."""
    notes = [*_refusals(view), summary(view), *_spent(view)]
    return Group(_answers(view), *map(Text, notes))


def results(view: QueryView, correlation: str | None = None) -> RenderableType:
    """What came of a query: figures, tables, attrition; and what to tell data managers where something went wrong."""
    parts: list[RenderableType] = [Text(_head(view)), picture(view)]
    parts += [histograms(beside) for beside in side_by_side(view)]
    parts += [_attrition(answer) for answer in _in_turn(view) if answer.attrition]
    return Group(*parts, *map(Text, [*_heaviest(view), *_troubles(view, correlation)]))


def whole(view: QueryView, correlation: str | None = None) -> RenderableType:
    """What came of a query, and its text."""
    made = " (made from criteria, which --json shows)" if view.criteria else ""
    text = [Text(f"\nThe query of record{made}:\n{view.sql.strip()}")] if view.sql else []
    return Group(results(view, correlation), *text)


def _heaviest(view: QueryView) -> list[str]:
    heavy = heaviest(view)
    return [f'The rule "{heavy[0]}" loses most: {about(heavy[1])} persons, by released figures.'] if heavy else []


def _troubles(view: QueryView, correlation: str | None) -> list[str]:
    trusts = ", ".join(troubled(view))
    known = f", correlation {correlation}" if correlation else ""
    return [f"For the data manager of {trusts}: query {view.query_id}{known}."] if trusts else []


def _head(view: QueryView) -> str:
    version = f", version {view.version}" if view.version else ""
    asked = f", asked by {view.submitted_by}" if view.submitted_by else ""
    again = f", again after {view.repeats}" if view.repeats else ""
    ended = f", cancelled by {view.cancelled_by}" if view.cancelled_by else ""
    return f"Cohort {view.cohort or 'cohort'}{version}{asked}{again}{ended}"


def _answers(view: QueryView) -> RenderableType:
    rows = [_row(view, trust) for trust in view.trusts]
    return table(f"Query {view.query_id}", ("trust", "state", "persons", "studies", "why"), rows)


def _row(view: QueryView, trust: str) -> tuple[str, ...]:
    answer = view.answers.get(trust)
    progress = view.progress.get(trust)
    state = standing(answer, progress)
    if answer is None:
        return (trust, state, "", "", bar(progress.done, progress.parts, 12) if progress else "")
    studies = about(answer.studies) if answer.studies else ""
    return (trust, state, _persons(answer), studies, why(answer))


def _persons(answer: TrustCounted) -> str:
    if answer.cells and answer.persons is None:
        return f"{len(answer.cells)} groups"
    return about(answer.persons, answer.margin) if answer.outcome in ("counted", "suppressed") else ""


def _refusals(view: QueryView) -> list[str]:
    """Each line at fault once, for all trusts that refuse it."""
    placed = [answer for answer in _in_turn(view) if answer.outcome == "refused" and answer.line]
    pictures = dict.fromkeys(_pointed(view.sql, answer) for answer in placed)
    return [picture for picture in pictures if picture]


def _pointed(sql: str | None, answer: TrustCounted) -> str:
    return pointed(sql, answer.line, answer.column) if sql and answer.line and answer.column else ""


def _spent(view: QueryView) -> list[str]:
    return [f"Spent at {answer.trust_id}: {spending(answer.spent)}." for answer in _in_turn(view) if answer.spent]


def _in_turn(view: QueryView) -> list[TrustCounted]:
    return [view.answers[trust] for trust in view.trusts if trust in view.answers]


def histograms(beside: SideBySide) -> RenderableType:
    """One table, a column of figures and one of bars for each trust."""
    title = f"{beside.title} ({beside.name})"
    if not beside.rows:
        return Group(*map(Text, [f"{title}: {TOO_FEW} in every group", *missing(beside)]))
    top = max((persons or 0 for row in beside.rows.values() for persons in row.values()), default=0)
    width = max(6, 36 // max(1, len(beside.told)))
    columns = [*beside.captions, *(name for trust in beside.told for name in (trust, ""))]
    rows = [
        (
            *beside.spoken(keys),
            *(shown for trust in beside.told for shown in (about(row[trust]), bar(row[trust], top, width))),
        )
        for keys, row in beside.rows.items()
    ]
    notes = [*_quarters(beside), *missing(beside)]
    return Group(table(title, columns, rows), *map(Text, notes))


def missing(beside: SideBySide) -> list[str]:
    return [f"{trust}: {reason}" for trust, reason in beside.missing.items()]


def _quarters(beside: SideBySide) -> list[str]:
    """The quartiles of each trust, and of each unit where a measurement has several."""
    groups = dict.fromkeys(keys[: len(beside.keys) - 2] for keys in beside.rows)
    return [
        f"{' '.join((trust, *among))}: a quarter of the released below {_edge(found[0])}, "
        f"half below {_edge(found[1])}, three quarters below {_edge(found[2])}"
        for trust in beside.told
        for among in groups
        if (found := quartiles(beside, trust, among))
    ]


def _edge(value: float | None) -> str:
    return "an open end" if value is None else f"about {value:.3g}"


def _attrition(answer: TrustCounted) -> RenderableType:
    counted = losses(answer.attrition)
    top = max((loss.left or 0 for loss in counted), default=0)
    rows = [
        (
            loss.rule,
            about(loss.left),
            "" if loss.lost is None else about(loss.lost) if loss.lost else "none",
            bar(loss.left, top),
        )
        for loss in counted
    ]
    return table(f"Who is left at {answer.trust_id}", ("rule", "left", "lost", ""), rows)
