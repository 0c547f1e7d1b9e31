"""The federation's parts, up and down as `make` does it, in a folder of their own and without our own processes."""

import os
import signal
from pathlib import Path

import pytest

from infra import lifecycle, programs, report, rotation
from infra.leftovers import leftovers
from infra.parts.part import is_free
from infra.supervision import Supervisor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "_is_built", lambda module: False)
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    yield tmp_path / "run"
    lifecycle.down(print, tmp_path / "run")


def test_a_federation_comes_up_survives_the_death_of_its_keeper_and_goes_down(run: Path) -> None:
    said: list[str] = []
    federation = lifecycle.up(1, said.append, run)
    assert all(map(report.is_well, report.rows(federation, Supervisor(run))))
    federation.postgres.execute("create table kept (x int)", "project")

    assert lifecycle.up(1, said.append, run) == federation
    assert any("already running" in line for line in said)
    with pytest.raises(lifecycle.FederationError, match="make down"):
        lifecycle.up(2, said.append, run)

    os.kill(int((run / "supervisord.pid").read_text()), signal.SIGKILL)
    again = lifecycle.up(1, said.append, run)
    assert any("of an earlier run" in line for line in said)
    assert again.postgres.execute("select count(*) from kept", "project") == "0"

    assert lifecycle.down(said.append, run) == []
    assert leftovers(run) == []
    assert all(map(is_free, again.ports.values()))


def test_a_killed_part_comes_back_and_keys_are_replaced_while_the_broker_speaks_tls(run: Path) -> None:
    federation = lifecycle.up(1, print, run, tls=True)
    with pytest.raises(lifecycle.FederationError, match="with TLS"):
        lifecycle.up(1, print, run)
    key = federation.signing_key_file("amber").read_bytes()
    rotation.rotate_certificate(federation)
    rotation.rotate_password(federation, "client")
    rotation.rotate_signing_key(federation, "amber")
    assert federation.signing_key_file("amber").read_bytes() != key
    assert (federation.trust_keys / "amber.pem").read_text().count("BEGIN PUBLIC KEY") == 2
    assert lifecycle.up(1, print, run, tls=True) == federation
    pid = Supervisor(run).states()["nginx"].pid
    os.kill(pid, signal.SIGKILL)
    lifecycle._wait(lambda: _is_back(run, "nginx", pid), 30, "nginx did not come back")
    federation.nginx.wait_ready()


def _is_back(run: Path, name: str, old_pid: int) -> bool:
    state = Supervisor(run).states()[name]
    return state.state == "RUNNING" and state.pid != old_pid


def test_a_broker_of_somebody_else_is_refused_not_ignored(run: Path, monkeypatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    with pytest.raises(lifecycle.FederationError, match="not built yet"):
        lifecycle.up(1, print, run)
