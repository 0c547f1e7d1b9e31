"""Grafana's dashboards (JSON model of Grafana 9 and later), made from `client/ops/panels.py`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from client.ops.figures import EVERY
from client.ops.panels import BOARDS, Board, Panel, Unit

FOLDER = Path(__file__).parent / "dashboards"
COLUMNS = 24
HEIGHT = 7
UNITS: dict[Unit, str] = {
    "per second": "cps",
    "seconds": "s",
    "count": "short",
    "bytes": "bytes",
    "bytes per second": "Bps",
    "yes or no": "bool_yes_no",
}
SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboards() -> dict[str, str]:
    """Each dashboard by the name of its file."""
    return {f"{board.uid}.json": json.dumps(_dashboard(board), indent=1) + "\n" for board in BOARDS}


def query(panel: Panel, board: Board) -> str:
    """In PromQL; a board of one participant leaves ``$participant`` to whoever looks at it."""
    return panel.figure.promql(f'{board.where}, participant=~"$participant"' if board.of_one else board.where)


def write() -> None:
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text)


def _dashboard(board: Board) -> dict[str, Any]:
    return {
        "uid": board.uid,
        "title": board.title,
        "tags": ["trustflow"],
        "schemaVersion": 38,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": list(_variables(board))},
        "panels": list(_panels(board)),
    }


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    yield {"name": "source", "type": "datasource", "query": "prometheus"}
    if board.of_one:
        yield {
            "name": "participant",
            "type": "query",
            "datasource": SOURCE,
            "query": f"label_values(up{{{EVERY}}}, participant)",
            "refresh": 1,
        }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for row in board.rows:
        yield {"id": number, "type": "row", "title": row.question, "gridPos": _place(top, 0, COLUMNS, 1), "panels": []}
        width = COLUMNS // len(row.panels)
        for column, panel in enumerate(row.panels):
            yield _panel(panel, board, number + 1 + column, _place(top + 1, column * width, width, HEIGHT))
        number, top = number + 1 + len(row.panels), top + 1 + HEIGHT


def _panel(panel: Panel, board: Board, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [{"refId": "A", "expr": query(panel, board), "legendFormat": _legend(panel)}],
        "fieldConfig": {
            "defaults": {"unit": UNITS[panel.unit], "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }


def _legend(panel: Panel) -> str:
    return " ".join(f"{{{{{name}}}}}" for name in panel.figure.by or ("participant",))


def _place(top: int, left: int, width: int, height: int) -> dict[str, int]:
    return {"h": height, "w": width, "x": left, "y": top}
