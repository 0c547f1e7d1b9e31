"""De-identification by DICOM PS3.15 annex E, keyed by the trust."""

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.files import clean_file, clean_files
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.leaks import Identity, identity, leaks
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.plain import DeidResult, deidentify
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.planning import NoValidProfileError, plan
from trust_node.imaging.deid.policy import DeidPolicy
from trust_node.imaging.deid.report import StudyReport, merged
from trust_node.imaging.deid.results import CleanFile, HeldFile
from trust_node.imaging.deid.screen import Held, HoldReason, screen

__all__ = [
    "Change",
    "CleanFile",
    "DeidKeys",
    "DeidPlan",
    "DeidPolicy",
    "DeidResult",
    "Held",
    "HeldFile",
    "HoldReason",
    "Identity",
    "NoValidProfileError",
    "Option",
    "StudyReport",
    "clean_file",
    "clean_files",
    "deidentify",
    "identity",
    "leaks",
    "merged",
    "plan",
    "screen",
]
