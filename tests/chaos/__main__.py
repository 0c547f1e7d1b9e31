"""`make chaos`: 500 kills and everything else that breaks, then count; exit code 1 when anything is wrong."""

import argparse
import asyncio
import logging
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from tests.chaos.play import plan_for, play, storm_of
from tests.chaos.report import Report, show
from tests.chaos.storm import Storm
from tests.chaos.world import world

RAGING = 0.85
"""Of the time; the rest is for coming to rest and for the judge."""

LOGS = Path(__file__).parents[2] / "build" / "chaos"


def main() -> int:
    arguments = _arguments()
    console = Console()
    folder = LOGS / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    logging.basicConfig(filename=folder / "driver.log", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    console.print(f"seed {arguments.seed}, {arguments.kills} kills; logs in {folder}")
    try:
        report = asyncio.run(_play(arguments, folder, console))
    except TimeoutError:
        console.print(f"not over after {arguments.minutes} minutes: something does not recover", style="red")
        return 1
    show(report, console)
    return 0 if report.passed else 1


async def _play(arguments: argparse.Namespace, folder: Path, console: Console) -> Report:
    async with asyncio.timeout(arguments.minutes * 60), world(folder) as world_:
        storm = storm_of(world_, plan_for(world_, arguments.seed, arguments.kills))
        telling = asyncio.create_task(_tell(storm, console))
        try:
            return await play(storm, within_s=arguments.minutes * 60 * RAGING)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling


async def _tell(storm: Storm, console: Console) -> None:
    """One line that is always true."""
    with console.status("") as status:
        while True:
            load = storm.load
            status.update(
                f"{storm.kills} of {storm.plan.number_of_kills} kills, "
                f"{load.rounds * len(load.strands)} commands said, {load.arrived * len(load.strands)} arrived"
            )
            await asyncio.sleep(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--minutes", type=float, default=30.0, help="deal no more shortly before this is over")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
