"""Charts of a query as PNG or SVG, by matplotlib, which `pip install 'trustflow[plot]'` brings."""

import io
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from client.figures import TOO_FEW, about, summary
from client.tables import SideBySide, side_by_side
from schemas.views import QueryView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("png", "svg")
INCH_PER_BAR, LEAST_INCHES, DPI = 0.32, 2.0, 150
LINE = 70
# Text as text: an SVG can be searched and read aloud, and a dollar in a name begins no formula.
STYLE: Any = {"svg.fonttype": "none", "text.parse_math": False, "font.size": 9}


class NoChart(Exception):
    """There is nothing to draw, or nothing to draw with; the text names the remedy."""


def chart(view: QueryView, statistic: str | None = None, *, kind: str = "png") -> bytes:
    """Draw released figures: persons of each trust, or one table with a panel for each trust.

    Parameters
    ----------
    statistic
        The name of a table (`client.tables.side_by_side`), with one key; each trust's persons by default.
    kind
        ``png`` at 150 dots per inch or ``svg`` with its text as text.

    Raises
    ------
    NoChart
    """
    if kind not in KINDS:
        raise NoChart(f"a chart is {' or '.join(KINDS)}, not {kind}")
    try:
        import matplotlib as mpl  # noqa: PLC0415  an extra: who needs no charts need not have it
    except ImportError:
        raise NoChart("charts need matplotlib: pip install 'trustflow[plot]'") from None
    with mpl.rc_context(STYLE | {"svg.hashsalt": view.query_id}):
        figure = _trusts(view) if statistic is None else _table(_named(view, statistic))
        return _written(figure, kind)


def _named(view: QueryView, statistic: str) -> SideBySide:
    tables = {beside.name: beside for beside in side_by_side(view) if beside.told}
    if statistic not in tables:
        names = ", ".join(tables) or "none"
        raise NoChart(f"no trust released the table {statistic} for {view.query_id}; released: {names}")
    return tables[statistic]


def _figure(bars: int, panels: int = 1) -> tuple["Figure", list["Axes"]]:
    from matplotlib.figure import Figure  # noqa: PLC0415

    height = max(LEAST_INCHES, INCH_PER_BAR * (bars + 4))
    figure = Figure(figsize=(2.5 + 3.5 * panels, height), dpi=DPI, layout="constrained")
    axes: Any = figure.subplots(1, panels, sharex=True, sharey=True, squeeze=False)
    return figure, list(axes[0])


def _trusts(view: QueryView) -> "Figure":
    figure, (axes,) = _figure(len(view.trusts))
    answers = [view.answers.get(trust) for trust in view.trusts]
    persons = [answer.persons if answer else None for answer in answers]
    margins = [answer.margin if answer else None for answer in answers]
    labels = [_word(view, trust) for trust in view.trusts]
    _bars(axes, view.trusts, persons, labels, margins)
    figure.suptitle(fill(summary(view), LINE))
    figure.supxlabel("persons (about)")
    return figure


def _word(view: QueryView, trust: str) -> str:
    answer = view.answers.get(trust)
    if answer is None:
        return "no answer yet"
    hidden = answer.outcome in ("counted", "suppressed")
    return about(answer.persons, answer.margin) if hidden else answer.outcome.replace("_", " ")


def _table(beside: SideBySide) -> "Figure":
    figure, panels = _figure(len(beside.rows), len(beside.told))
    names = [", ".join(beside.spoken(keys)) for keys in beside.rows]
    for axes, trust in zip(panels, beside.told, strict=True):
        persons = [row[trust] for row in beside.rows.values()]
        _bars(axes, names, persons, [TOO_FEW if count is None else f"~{count:,}" for count in persons])
        axes.set_title(trust)
    panels[0].set_ylabel(", ".join(beside.captions))
    figure.suptitle(fill(beside.title, LINE * len(panels)))
    notes = [f"{trust}: {reason}" for trust, reason in beside.missing.items()]
    figure.supxlabel("\n".join(("persons (about)", *(fill(note, LINE * len(panels)) for note in notes))), fontsize=8)
    return figure


def _bars(
    axes: "Axes",
    names: Sequence[str],
    persons: Sequence[int | None],
    labels: Sequence[str],
    margins: Sequence[int | None] = (),
) -> None:
    places = range(len(names))
    lengths = [count or 0 for count in persons]
    reach = [margin or 0 for margin in margins] or [0] * len(lengths)
    axes.barh(places, lengths, xerr=reach, color="#4477aa", ecolor="#222222")
    axes.set_yticks(places, labels=names)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    for place, end, label in zip(places, map(sum, zip(lengths, reach, strict=True)), labels, strict=True):
        axes.annotate(label, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7)
    axes.set_xmargin(0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _written(figure: "Figure", kind: str) -> bytes:
    file = io.BytesIO()
    # no date: the same figures give the same bytes
    figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return file.getvalue()
