"""The hospital's PACS: which studies carry an accession number, bring them, and at which pace."""

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
from trust_node.imaging.pacs.ways import Pacs, open_pacs

__all__ = [
    "InvalidAccessionError",
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
