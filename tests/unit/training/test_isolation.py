from pathlib import Path

import pytest

from trust_node.training import isolation
from trust_node.training.cgroup import Cgroup, _own_groups
from trust_node.training.isolation import SandboxSpec, SandboxUnavailable, command, isolation_level

SPEC = SandboxSpec(Path("/trust/bundle"), "trainer.py", Path("/trust/data"), Path("/trust/run"))


@pytest.fixture
def no_bubblewrap(monkeypatch):
    monkeypatch.setattr(isolation, "has_bubblewrap", lambda: False)


@pytest.fixture
def bubblewrap(monkeypatch):
    monkeypatch.setattr(isolation, "has_bubblewrap", lambda: True)


def pairs(arguments: list[str], option: str) -> set[str]:
    return {arguments[place + 1] for place, argument in enumerate(arguments) if argument == option}


def test_without_bubblewrap_training_is_refused(no_bubblewrap):
    with pytest.raises(SandboxUnavailable, match="install bubblewrap"):
        command(SPEC, 3, None)


def test_a_policy_may_allow_a_bare_run_and_then_the_level_says_so(no_bubblewrap):
    bare = SandboxSpec(SPEC.bundle, SPEC.entry_point, SPEC.data, SPEC.run_dir, allow_bare=True)
    assert isolation_level(None) == "none"
    assert command(bare, 3, None)[-1] == "/trust/bundle/trainer.py"
    assert "TRUSTFLOW_SOCKET=3" in command(bare, 3, None)


def test_nothing_of_the_host_is_bound_writable(bubblewrap):
    arguments = command(SPEC, 3, None)
    assert pairs(arguments, "--bind") == pairs(arguments, "--dev-bind") == set()
    assert {"/trust/bundle", "/trust/data", "/trust/run/inbox"} <= pairs(arguments, "--ro-bind")
    assert not {"/", "/etc", "/root", "/home", "/trust", "/trust/run"} & pairs(arguments, "--ro-bind")


def test_a_cgroup_is_entered_before_the_wall_is_built(bubblewrap):
    arguments = command(SPEC, 3, Cgroup((Path("/sys/fs/cgroup/pids/x"),)))
    assert arguments[0] == "/bin/sh"
    assert arguments.index("/sys/fs/cgroup/pids/x/cgroup.procs") < arguments.index("bwrap")
    assert isolation_level(Cgroup(())) == "bubblewrap+cgroup"


def test_the_groups_of_this_process_are_read_by_controller():
    listing = "9:name=systemd:/\n4:cpu,memory:/some/group\n8:pids:/\n0::/\n"
    assert _own_groups(listing)["memory"] == "some/group"
    assert _own_groups(listing)["pids"] == ""


def test_scratch_space_never_hides_an_interpreter_below_it(bubblewrap):
    arguments = command(SPEC, 3, None)
    assert arguments.index("--tmpfs") < arguments.index("--ro-bind")
