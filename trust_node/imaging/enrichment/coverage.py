"""How far a project's images are labelled, in numbers that may leave the trust, and what stands in the way."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trust_node.imaging.enrichment.flaws import Flaw, Problem


@dataclass(frozen=True, slots=True)
class Coverage:
    """Image files, those that a label speaks of, and those with a mask that fits.

    ``problems`` name files of the trust and never leave it; ``rejected`` counts them by word.
    """

    images: int
    labelled: int
    masked: int
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    @property
    def rejected(self) -> Mapping[Flaw, int]:
        return Counter(problem.flaw for problem in self.problems)


def unmatched(labels: Iterable[tuple[str, str]], scans: Iterable[tuple[str, str]], file: str) -> list[Problem]:
    """Return a problem for each (study, scan) that is labelled in ``file`` and has no image."""
    with_image = set(scans)
    studies = {study for study, _ in with_image}
    return [
        Problem(f"{file}, study {study}, scan {scan}", Flaw.UNKNOWN_SCAN if study in studies else Flaw.UNKNOWN_STUDY)
        for study, scan in labels
        if (study, scan) not in with_image
    ]
