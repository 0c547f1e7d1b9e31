"""Training code behind a real wall, with real torch."""

import asyncio
import dataclasses
import errno
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save_file

from trust_node.training import isolation
from trust_node.training.isolation import Limits, SandboxSpec, SandboxUnavailable
from trust_node.training.sandbox import BadUpdate, Sandbox, SandboxDied, SandboxTimeout, Task

pytestmark = pytest.mark.integration

TRAINER = """
from trustflow_sdk import federation
import math, torch

def attempt(code):
    try:
        exec(code, {})
    except OSError as error:
        return error.errno
    except MemoryError:
        return -1
    return 0

while (task := federation.receive()) is not None:
    if task.kind == "init":
        torch.manual_seed(task.seed)
        federation.send({"w": torch.randn(2, 3)}, examples=0)
    elif task.kind == "evaluate":
        federation.send(None, examples=1, metrics={"errno": attempt(task.config.get("attempt", ""))})
    else:
        w = task.model["w"] + task.config.get("step", 1)
        name = task.config.get("name", "w")
        mean = w.nan_to_num(posinf=0).mean().item()
        federation.send({name: w}, examples=len(federation.table), metrics={"mean": mean})
"""

RAW = """
import json, os, socket, sys, time
wire = socket.socket(fileno=int(os.environ["TRUSTFLOW_SOCKET"]))
answer = lambda: wire.send(json.dumps({"examples": 1, "metrics": {}}).encode())
"""
"""A bundle that does without the SDK, and hence without the seconds that torch takes to start."""

EVALUATE = Task("evaluate", round=1, seed=0)
LIMITS = Limits(memory=6 * 2**30, processes=64, scratch=2**20, task_seconds=60, threads=1)


def spec(folder: Path, source: str, **limits: float) -> SandboxSpec:
    bundle, data = folder / "bundle", folder / "data"
    bundle.mkdir()
    data.mkdir()
    (bundle / "trainer.py").write_text(source)
    (data / "table.csv").write_text("study,path\nS1,a.nii\nS2,b.nii\n")
    chosen = Limits(**{"threads": 1, "task_seconds": 20, "log": 1000, **limits}) if limits else LIMITS
    return SandboxSpec(bundle, "trainer.py", data, folder / "run", chosen)


@pytest.fixture(scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    os.environ["TRUST_PASSWORD"] = "hunter2"
    async with Sandbox(spec(tmp_path_factory.mktemp("trust"), TRAINER)) as sandbox:
        yield sandbox
    del os.environ["TRUST_PASSWORD"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_file({"w": torch.zeros(2, 3)}, tmp_path / "global.safetensors")
    return tmp_path / "global.safetensors"


async def attempted(sandbox: Sandbox, code: str) -> int:
    """Return the errno that stopped the training code, 0 when nothing did, -1 for want of memory."""
    update = await sandbox.run(Task("evaluate", round=1, seed=0, config={"attempt": code}))
    return int(update.metrics["errno"])


def innermost(pid: int) -> int:
    """Return the process at the end of a chain of only children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return innermost(int(children[0])) if children else pid


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  another process's file can't set an event
            await asyncio.sleep(0.01)


async def test_a_model_is_made_trained_and_evaluated(sandbox, tmp_path):
    first = await sandbox.run(Task("init", round=0, seed=7))
    (tmp_path / "m0").write_bytes(first.weights.file)
    second = await sandbox.run(Task("train", round=1, seed=7, model=tmp_path / "m0", config={"step": 2}))
    torch.manual_seed(7)
    expected = torch.randn(2, 3) + 2
    assert torch.equal(load(bytes(second.weights.file))["w"], expected)
    assert second.examples == 2
    assert second.metrics == {"mean": round(expected.mean().item(), 4)}
    assert list(sandbox.spec.inbox.iterdir()) == []


async def test_the_report_names_the_wall(sandbox):
    assert sandbox.isolation.startswith("bubblewrap")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"step": float("1e39")}, "not_finite"),
        ({"name": "other"}, "wrong_layout"),
    ],
)
async def test_a_bad_update_is_refused_and_the_sandbox_goes_on(sandbox, model, config, code):
    with pytest.raises(BadUpdate) as caught:
        await sandbox.run(Task("train", round=1, seed=0, model=model, config=config))
    assert caught.value.code == code
    assert await attempted(sandbox, "") == 0


async def test_training_code_can_not_change_the_nodes_copy_of_the_model(sandbox, model):
    before = model.read_bytes()
    in_place = "import os; [open(f'/inbox/{n}', 'r+b') for n in os.listdir('/inbox')]"
    task = Task("evaluate", round=1, seed=0, model=model, config={"attempt": in_place})
    assert (await sandbox.run(task)).metrics["errno"] == errno.EROFS
    assert model.read_bytes() == before


async def test_there_is_no_network_not_even_to_this_machine(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert await attempted(sandbox, code) == errno.ECONNREFUSED
    outside = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    assert await attempted(sandbox, outside) == errno.ENETUNREACH


async def test_an_abstract_socket_of_this_machine_is_out_of_reach(sandbox):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0trustflow-test-{os.getpid()}")
        server.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0trustflow-test-{os.getpid()}')"
        assert await attempted(sandbox, code) == errno.ECONNREFUSED


async def test_files_of_the_trust_are_not_there(sandbox, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    for path in ("/etc/shadow", "/etc/passwd", str(secret), str(sandbox.spec.log), "/sys/kernel"):
        assert await attempted(sandbox, f"open({path!r})") == errno.ENOENT


async def test_the_environment_of_the_node_is_not_inherited(sandbox):
    assert await attempted(sandbox, "import os; assert 'TRUST_PASSWORD' not in os.environ") == 0


@pytest.mark.parametrize("folder", ["", "/usr", "/bundle", "/data", "/inbox", "/sdk", "/dev", "/lib"])
async def test_nothing_can_be_written_but_scratch(sandbox, folder):
    assert await attempted(sandbox, f"open('{folder}/x', 'w')") == errno.EROFS


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
async def test_scratch_is_small(sandbox, folder):
    code = f"f = open('{folder}/x', 'wb')\ntry: f.write(bytes(2**21)); f.flush()\nfinally: f.truncate(0)"
    assert await attempted(sandbox, code) == errno.ENOSPC


async def test_other_processes_can_not_be_seen_or_signalled(sandbox):
    assert await attempted(sandbox, f"import os; os.kill({2**22 - 1}, 0)") == errno.ESRCH
    seen = "import os; assert len([p for p in os.listdir('/proc') if p.isdigit()]) <= 3"
    assert await attempted(sandbox, seen) == 0


async def test_there_are_no_privileges_to_gain(sandbox):
    namespace = (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.unshare(0x10000000): raise OSError(ctypes.get_errno(), '')"
    )
    assert await attempted(sandbox, namespace) in {errno.ENOSPC, errno.EPERM}
    status = "assert 'CapEff:\\t0000000000000000' in open('/proc/self/status').read()"
    assert await attempted(sandbox, status) == 0


async def test_a_fork_bomb_is_stopped(sandbox):
    bomb = """
import os, signal, time
children = []
try:
    while len(children) < 500:
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
finally:
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
"""
    if sandbox.isolation == "bubblewrap" and os.geteuid() == 0:
        pytest.skip("root is exempt from the process rlimit and this machine lets it make no cgroup")
    assert await attempted(sandbox, bomb) == errno.EAGAIN


async def test_memory_is_limited(sandbox):
    assert await attempted(sandbox, f"bytearray({7 * 2**30})") == -1


async def test_a_killed_process_is_noticed_at_once_and_the_task_can_be_sent_again(tmp_path):
    described = spec(tmp_path, RAW + "wire.recv(9999); print('busy', flush=True); time.sleep(60)")
    async with Sandbox(described) as sandbox:
        task = asyncio.create_task(sandbox.run(EVALUATE))
        await until(lambda: "busy" in described.log.read_text())
        killed = time.monotonic()
        os.kill(innermost(sandbox.pid), signal.SIGKILL)
        with pytest.raises(SandboxDied) as caught:
            await task
        assert time.monotonic() - killed < 2
    assert caught.value.reason == "killed"
    (described.bundle / "trainer.py").write_text(RAW + "wire.recv(9999); answer(); wire.recv(1)")
    async with Sandbox(described) as again:
        assert (await again.run(EVALUATE)).examples == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "ended"),
        ("raise ValueError('a study')", "failed"),
        ("wire.close(); time.sleep(60)", "killed"),
        ("wire.recv(9999); sys.exit(3)", "failed"),
    ],
)
async def test_a_process_that_leaves_is_told_from_one_that_fails(tmp_path, source, reason):
    async with Sandbox(spec(tmp_path, RAW + source)) as sandbox:
        with pytest.raises(SandboxDied) as caught:
            await sandbox.run(EVALUATE)
    assert caught.value.reason == reason
    assert "study" not in str(caught.value)


async def test_what_the_code_prints_stays_in_a_bounded_log_of_the_trust(tmp_path):
    source = "for line in range(100_000): print('line', line)\nwire.recv(9999); answer(); wire.recv(1)"
    described = spec(tmp_path, RAW + source)
    async with Sandbox(described) as sandbox:
        await sandbox.run(EVALUATE)
    assert described.log.read_text().startswith("line 0\n")
    assert described.log.stat().st_size == described.limits.log


async def test_a_task_that_takes_too_long_is_killed(tmp_path):
    async with Sandbox(spec(tmp_path, RAW + "wire.recv(9999); time.sleep(60)", task_seconds=0.3)) as sandbox:
        with pytest.raises(SandboxTimeout):
            await sandbox.run(EVALUATE)
        with pytest.raises(SandboxDied):
            await sandbox.run(EVALUATE)


async def test_a_task_that_is_cancelled_ends_its_sandbox(tmp_path):
    described = spec(tmp_path, RAW + "wire.recv(9999); print('busy', flush=True); time.sleep(60)")
    async with Sandbox(described) as sandbox:
        task = asyncio.create_task(sandbox.run(EVALUATE))
        await until(lambda: "busy" in described.log.read_text())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(SandboxDied):
            await sandbox.run(EVALUATE)


@pytest.mark.parametrize(
    "answer", ["b'garbage'", "b'[]'", "b'x' * 100_000", 'b\'{"examples": 1, "metrics": {"a": NaN}}\'']
)
async def test_an_answer_that_is_none_is_refused(tmp_path, answer):
    async with Sandbox(spec(tmp_path, RAW + f"wire.recv(9999); wire.send({answer}); wire.recv(1)")) as sandbox:
        with pytest.raises(BadUpdate) as caught:
            await sandbox.run(EVALUATE)
    assert caught.value.code in {"bad_message", "bad_metrics"}


async def test_code_that_does_not_see_the_end_of_the_run_is_killed(tmp_path):
    async with Sandbox(spec(tmp_path, RAW + "wire.recv(9999); answer(); time.sleep(600)")) as sandbox:
        await sandbox.run(EVALUATE)
        pid = innermost(sandbox.pid)
    assert not Path(f"/proc/{pid}").exists()


async def test_without_a_wall_nothing_runs_unless_the_policy_allows_it(tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "has_bubblewrap", lambda: False)
    described = spec(tmp_path, RAW + "wire.recv(9999); answer(); wire.recv(1)")
    with pytest.raises(SandboxUnavailable):
        await Sandbox(described).__aenter__()
    async with Sandbox(dataclasses.replace(described, allow_bare=True)) as bare:
        assert (await bare.run(EVALUATE)).examples == 1
        assert bare.isolation == "none"
