"""Dashboards, alerts and the metrics they ask for fit together."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import bus.watch.metrics  # noqa: F401  registers every metric
from client.ops.exporter import Known
from client.ops.panels import BOARDS
from infra.watch.dashboards import FOLDER, dashboards

ROOT = Path(__file__).parents[3]
WATCH = ROOT / "infra" / "watch"
RULES = (WATCH / "rules.yml").read_text()
RULE_TESTS = (WATCH / "rules.test.yml").read_text()
ALERTS = re.findall(r"alert: (\w+)", RULES)
METRICS = [*REGISTRY.collect(), *Known(read_at=datetime.now(UTC)).collect()]
REPORTED = {f"{metric.name}{suffix}" for metric in METRICS for suffix in ("", "_total", "_count", "_bucket")}
OURS = {metric.name for metric in METRICS if metric.name.startswith("trustflow_")}


@pytest.mark.parametrize("name", dashboards())
def test_the_committed_dashboard_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == dashboards()[name], "run `python -m infra.watch` and commit what it writes"


def test_no_dashboard_is_left_over() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(dashboards())


def test_panels_of_a_dashboard_have_numbers_of_their_own_and_do_not_overlap() -> None:
    for text in dashboards().values():
        panels = json.loads(text)["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        places = [panel["gridPos"] for panel in panels]
        cells = [(p["x"] + x, p["y"] + y) for p in places for x in range(p["w"]) for y in range(p["h"])]
        assert len(set(cells)) == len(cells)


def test_every_panel_asks_for_a_metric_that_is_reported() -> None:
    asked = {
        metric for board in BOARDS for row in board.rows for panel in row.panels for metric in panel.figure.metrics
    }
    assert asked <= REPORTED


def test_every_metric_of_ours_is_shown_or_alerted_on() -> None:
    queries = RULES + "".join(dashboards().values())
    assert sorted(name for name in OURS if name not in queries) == []


def test_every_metric_and_every_alert_is_explained() -> None:
    page = (ROOT / "docs" / "observability.md").read_text()
    assert sorted(name for name in (*OURS, *ALERTS) if f"`{name}" not in page) == []


def test_every_alert_asks_for_a_metric_that_is_reported() -> None:
    assert set(re.findall(r"trustflow_\w+", RULES)) <= REPORTED


def test_every_alert_has_a_runbook() -> None:
    runbooks = re.findall(r"runbook: (\S+)", RULES)
    assert len(runbooks) == len(ALERTS)
    assert [page for page in runbooks if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_shown_to_fire_and_to_stay_silent(alert: str) -> None:
    shown = re.findall(rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts: *(\[\])?", RULE_TESTS)
    assert sorted(shown) == ["", "[]"]


def test_the_alerts_fire_and_stay_silent_as_they_should() -> None:
    ended = subprocess.run(
        ["promtool", "test", "rules", "rules.test.yml"], cwd=WATCH, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
