"""`python -m tests.attack`: how often each attack is right, against each way to answer. A coin is right in 50 %."""

import argparse
from concurrent.futures import Executor, ProcessPoolExecutor

from rich.console import Console

from tests.attack.modes import MODES
from tests.attack.strategies import STRATEGIES, targets_of
from tests.attack.trial import accuracy


def main() -> None:
    asked = _asked()
    console = Console(width=180)
    columns = ("attack", *asked.modes)
    console.print(_row(columns), _row(["---"] * len(columns)), sep="\n")
    with ProcessPoolExecutor(asked.processes) as executor:
        for strategy in asked.attacks:
            shares = [_share(strategy, mode, asked.hospitals, executor) for mode in asked.modes]
            console.print(_row((strategy, *shares)))


def _share(strategy: str, mode: str, hospitals: int, executor: Executor) -> str:
    """An attack on one target at a time gets three times the hospitals: it tells less per hospital."""
    several = targets_of(strategy) > 1
    return str(accuracy(strategy, mode, range(hospitals if several else 3 * hospitals), executor))


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--hospitals", type=int, default=50, help="fresh hospitals per figure; 50 by default")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--attacks", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
