import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.environment import RUN_MARK
from infra.leftovers import end_leftovers, leftovers

SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


@contextmanager
def sleeper(*extra: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [*SLEEP, *extra], env={**os.environ, **(env or {})}, cwd=cwd, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_process_with_our_mark_is_found_and_no_other(tmp_path) -> None:
    run, other = tmp_path / "run", tmp_path / "run2"
    with sleeper(env={RUN_MARK: str(run)}) as ours, sleeper(env={RUN_MARK: str(other)}), sleeper():
        assert [process.pid for process in leftovers(run)] == [ours.pid]


def test_a_part_that_overwrote_its_environment_is_known_by_folder_and_command_line(tmp_path) -> None:
    with sleeper(str(tmp_path / "nginx.conf"), cwd=tmp_path) as ours, sleeper(cwd=tmp_path):
        assert [process.pid for process in leftovers(tmp_path)] == [ours.pid]


def test_what_is_found_is_ended(tmp_path) -> None:
    with sleeper(env={RUN_MARK: str(tmp_path)}) as ours:
        # A child that nobody waits for stays in the process table, but without an environment to be known by.
        assert [process.pid for process in end_leftovers(tmp_path)] == [ours.pid]
        assert ours.wait(5) != 0
    assert leftovers(tmp_path) == []
