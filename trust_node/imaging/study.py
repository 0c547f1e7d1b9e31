"""What an import is made of. Each step is proven by counts, and may be run again after any crash.

Where a study stands is read from the PACS, the content store and XNAT, never from memory.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from schemas.deid import DeidWish
from trust_node.imaging.content import ContentStore
from trust_node.imaging.conversion import ScanConverter
from trust_node.imaging.deid import DeidKeys, DeidPlan
from trust_node.imaging.deid.planning import NOTHING_ASKED
from trust_node.imaging.holds import Reviewed
from trust_node.imaging.pacs.ways import Pacs
from trust_node.imaging.spool import Spool
from trust_node.imaging.states import StudyState
from trust_node.imaging.xnat import Xnat

Several = Literal["all", "newest", "refuse"]


@dataclass(frozen=True, slots=True)
class Found:
    """A study that carries the accession number, by its pseudonym; those not chosen stay in the PACS."""

    session: str
    expected: int | None
    chosen: bool


class Journal(Protocol):
    """Where an import tells what it does, and reads what people have decided."""

    async def tell(self, state: StudyState) -> bool:
        """Take note of where the study stands, and tell whether that settles it; what it raises ends the import."""
        ...

    async def found(self, studies: Iterable[Found]) -> None:
        """Take note of every study that carries the accession number."""

    async def reviewed(self, session: str) -> Reviewed:
        """Return what was decided on the study's held images."""

    async def hold(self, session: str, held: Iterable[tuple[str, str]]) -> None:
        """Have images, each with its reason, wait for a person."""

    async def waiting(self, session: str) -> Mapping[str, str]:
        """Return the images of the study that wait, each with its reason."""


@dataclass(frozen=True, slots=True)
class StudyOrder:
    """What to import: an accession number (never shown), for which project, and how.

    ``project`` is the hub's id, ``archive`` the XNAT project's; ``fresh`` goes past what is here already; ``wish`` is
    what the project asks of de-identification.
    """

    accession: str = field(repr=False)
    project: str
    archive: str
    to_nifti: bool = True
    fresh: bool = False
    wish: DeidWish = NOTHING_ASKED
    several: Several = "refuse"


@dataclass(frozen=True, slots=True)
class Importer:
    """The parts that an import goes through; one for all studies of a trust.

    `plan` settles how a project's images are de-identified, or raises NoValidProfileError; `pool` does it, so that a
    big study doesn't stop the event loop; `work` is a folder for what is on its way; no step may take longer than
    `step_s`. The content store has one writer at a time. No two imports of the same accession number may run at once.
    """

    pacs: Pacs
    spool: Spool
    content: ContentStore
    keys: DeidKeys
    plan: Callable[[DeidWish, str], DeidPlan]
    pool: Executor
    xnat: Xnat
    converter: ScanConverter
    work: Path
    step_s: float = 1800.0
    storing: asyncio.Lock = field(default_factory=asyncio.Lock)
