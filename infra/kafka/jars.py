"""The broker's jars: fetched once by Maven, shared by every broker of this checkout."""

import hashlib
import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
JARS = Path(__file__).parents[2] / "build" / "kafka" / "libs"


def ensure_jars(target: Path = JARS) -> Path:
    """Return the folder of jars, fetching them when the pom has changed since the last time.

    Raises
    ------
    RuntimeError
        Maven failed; the text holds the end of what it printed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if _stamp(target).is_file() and _stamp(target).read_text() == _wanted():
            return target
        _fetch(target)
        _stamp(target).write_text(_wanted())
    return target


def _fetch(target: Path) -> None:
    fresh = target.with_name(f"libs.{os.getpid()}")
    command = [
        "mvn",
        f"-Dmaven.repo.local={target.parents[1] / 'cache' / 'maven'}",
        "-B",
        "-q",
        "-f",
        str(POM),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={fresh}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"Maven could not fetch Kafka's jars:\n{(done.stdout + done.stderr)[-2000:]}")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _stamp(target: Path) -> Path:
    return target / "pom.sha256"


def _wanted() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()


if __name__ == "__main__":
    ensure_jars()
