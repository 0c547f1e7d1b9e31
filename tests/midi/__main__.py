"""Scores the de-identification on the planted set: `python -m tests.midi`."""

import logging
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.midi.key import Category
from tests.midi.running import DEFAULT, RETAINS, clean, expected
from tests.midi.scoring import Score, Scorer
from tests.midi.studies import STUDIES, PlantedSet, planted_set


def table(scores: dict[str, Score]) -> Table:
    shown = Table(
        "required action", *(name.removeprefix("retain_") for name in scores), title="Correct of required actions"
    )
    for category in Category:
        shown.add_row(category, *(_share(score, category) for score in scores.values()))
    shown.add_section()
    shown.add_row(
        "all", *(f"{score.correct.total()} / {score.required.total()}\n{score.share:.2%}" for score in scores.values())
    )
    return shown


def _share(score: Score, category: Category) -> str:
    required = score.required[category]
    return f"{score.correct[category]} / {required}" if required else ""


def scored(planted: PlantedSet, option: str) -> Score:
    with TemporaryDirectory() as folder:
        return Scorer(clean(planted, Path(folder), option)).score(expected(planted, option))


def main() -> int:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    planted, one_study = planted_set(), planted_set(STUDIES[:1])
    scores = {option: scored(planted, option) for option in (DEFAULT, "clean_descriptors")}
    scores |= {option: scored(one_study, option) for option in RETAINS}
    console = Console(width=200)
    console.print(f"{len(planted.objects)} objects")
    console.print(table(scores))
    for option, score in scores.items():
        for line in score.told():
            console.print(f"{option}: {line}")
    return 0 if all(not score.misses for score in scores.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
