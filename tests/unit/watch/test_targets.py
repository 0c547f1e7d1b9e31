"""A site's own Prometheus finds every process of ours, by the name of its participant."""

import json
from pathlib import Path

from infra.environment import metrics_urls, write_shell_files
from infra.federation import describe, remembered
from infra.programs import programs
from infra.watch.targets import write_targets
from schemas.topics import SERVICES


def test_every_participant_is_a_target_and_our_own_prometheus_is_there_only_where_asked_for(tmp_path: Path) -> None:
    federation = describe(2, tmp_path)
    write_shell_files(federation)
    targets = json.loads(federation.targets_file.read_text())
    assert {one["labels"]["participant"] for one in targets} == {*SERVICES, "trust-amber", "trust-birch"}
    assert {one["targets"][0] for one in targets} == {url.split("/")[2] for url in metrics_urls(federation).values()}
    assert federation.prometheus is None


def test_a_watched_federation_is_remembered_as_watched(tmp_path: Path) -> None:
    federation = describe(1, tmp_path, watch=True)
    assert federation.prometheus in list(federation.parts())
    assert "exporter" in {program.name for program in programs(federation)}
    assert remembered(tmp_path) == federation


def test_processes_of_one_participant_share_its_name(tmp_path: Path) -> None:
    file = tmp_path / "targets.json"
    write_targets({"cohort#1": "http://127.0.0.1:1/metrics", "cohort#2": "http://127.0.0.1:2/metrics"}, 3, file)
    *members, exporter = json.loads(file.read_text())
    assert [one["labels"] for one in members] == [{"participant": "cohort"}] * 2
    assert exporter == {"targets": ["127.0.0.1:3"], "labels": {"participant": "operator", "job": "trustflow-broker"}}
