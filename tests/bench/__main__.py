"""`make bench`: measure the federation beside the bare parts it is made of, and write docs/benchmarks.md.

Parts may be named on the command line. The document is written once every part has been measured on this machine.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from infra.federation import ROOT
from tests.bench import (
    asking,
    backbone,
    comparing,
    converting,
    deidentifying,
    downloading,
    hops,
    judging,
    learning,
    many_trusts,
    rebuild,
    receiving,
    relaying,
    sending,
)
from tests.bench.findings import screen_table
from tests.bench.results import Result, keep, kept, markdown

DOCUMENT = ROOT / "docs" / "benchmarks.md"
NOTES = Path(__file__).with_name("notes.md")

Part = Callable[[Console], Result]
PARTS: dict[str, Part] = {
    "backbone": backbone.measure,
    "relay": relaying.measure,
    "hops": hops.measure,
    "trusts": many_trusts.measure,
    "rebuild": rebuild.measure,
    "rounds": learning.rounds,
    "fold": learning.folded,
    "receiving": receiving.measure,
    "sending": sending.measure,
    "deidentifying": deidentifying.measure,
    "converting": converting.measure,
    "downloading": downloading.measure,
    "comparing": comparing.measure,
    "judging": judging.measure,
    "asking": asking.measure,
}


def main() -> None:
    console, asked = Console(width=150), _asked()
    for name in asked:
        console.rule(name)
        result = _timed(PARTS[name], console)
        keep(name, result)
        console.print(screen_table(result.findings))
    results = kept(PARTS)
    if missing := [name for name in PARTS if name not in results]:
        console.print(f"{DOCUMENT.name} stays as it is: never measured here: {', '.join(missing)}")
        return
    DOCUMENT.write_text(markdown(results, NOTES.read_text()))
    console.print(f"written to {DOCUMENT}")


def _asked() -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all by default")
    named: list[str] = parser.parse_args().parts
    if unknown := sorted(set(named) - set(PARTS)):
        parser.error(f"there is no part {', '.join(unknown)}: choose of {', '.join(PARTS)}")
    return named or list(PARTS)


def _timed(part: Part, console: Console) -> Result:
    began = time.monotonic()
    result = part(console)
    return dataclasses.replace(result, seconds=time.monotonic() - began, on=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


if __name__ == "__main__":
    main()
