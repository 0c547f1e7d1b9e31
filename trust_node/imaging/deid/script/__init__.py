"""DicomEdit 6 scripts, as XNAT sites have them; they run after the profile."""

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.script.errors import RejectedError, ScriptError, ScriptErrors, ScriptRunError
from trust_node.imaging.deid.script.frame import Surroundings
from trust_node.imaging.deid.script.lookup import read_lookup
from trust_node.imaging.deid.script.running import run
from trust_node.imaging.deid.script.script import Script

__all__ = [
    "Change",
    "RejectedError",
    "Script",
    "ScriptError",
    "ScriptErrors",
    "ScriptRunError",
    "Surroundings",
    "read_lookup",
    "run",
]
