"""How far one study has come; every field may leave the trust."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from trust_node.imaging.codes import FailureCode


class Step(StrEnum):
    QUEUED = "queued"
    MOVING = "moving"
    RECEIVED = "received"
    DEIDENTIFIED = "deidentified"
    ARCHIVED = "archived"
    CONVERTED = "converted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StudyState:
    """A study on its way; counts are of instances, `slices` of image slices, `held` of images by reason.

    `request` names what was asked for, `sessions` the studies that it led to: pseudonyms keyed by the trust.
    `matches` counts the studies that carry the accession number; all counts are sums over those that were chosen.
    """

    request: str
    step: Step = Step.QUEUED
    sessions: tuple[str, ...] = ()
    matches: int | None = None
    expected: int | None = None
    received: int = 0
    held: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    archived: int = 0
    slices_in: int = 0
    slices_out: int = 0
    code: FailureCode | None = None

    @property
    def present(self) -> int:
        """Images that are there, by what the step has proven."""
        match self.step:
            case Step.CONVERTED:
                return self.slices_out
            case Step.ARCHIVED:
                return self.archived
            case _:
                return self.received
