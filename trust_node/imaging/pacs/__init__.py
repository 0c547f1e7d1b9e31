"""The hospital's PACS: which studies carry an accession number, bring them, and at which pace."""

from trust_node.imaging.pacs.former import Pacs
from trust_node.imaging.pacs.hits import (
    InvalidAccessionError,
    Outcome,
    SeveralStudies,
    SeveralStudiesError,
    StudyHit,
    choose,
)
from trust_node.imaging.pacs.paced import PacedPacs
from trust_node.imaging.pacs.policy import PacsPolicy
from trust_node.imaging.pacs.troubles import PacsError, Trouble
from trust_node.imaging.pacs.ways import open_pacs

MoveOutcome = Outcome

__all__ = [
    "InvalidAccessionError",
    "MoveOutcome",
    "Outcome",
    "PacedPacs",
    "Pacs",
    "PacsError",
    "PacsPolicy",
    "SeveralStudies",
    "SeveralStudiesError",
    "StudyHit",
    "Trouble",
    "choose",
    "open_pacs",
]
