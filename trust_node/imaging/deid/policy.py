"""What the trust's policy file says of de-identification: its floor, `[deid]`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydicom.datadict import tag_for_keyword

from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.pixels import HoldReason

Stricter = Literal["replace", "empty", "remove"]

# Without these an object is no object any more.
_NEEDED = frozenset({"SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PixelData"})


def _keyword(keyword: str) -> str:
    if tag_for_keyword(keyword) is None:
        raise ValueError(f"{keyword[:40]!r} is no keyword of the standard; write it as in PS3.6, PatientName")
    if keyword in _NEEDED:
        raise ValueError(f"{keyword} can't be taken away from an object; leave it out")
    return keyword


class DeidPolicy(BaseModel):
    """The floor of one trust: a project may ask for more within it, never for less protection.

    Attributes
    ----------
    options
        Options of PS3.15 annex E that always apply here, beside the Basic Profile.
    allow
        Options that a project may ask for besides.
    overrides
        Stricter than the profile, by keyword: what is milder than what the profile does anyway has no effect.
    script_file, whitelist_file, lookup_file
        The trust's DicomEdit script, white list and table for `lookup`; paths as the node sees them.
    project_scripts
        False: a project that brings a script of its own imports nothing here.
    rules_off, rules_on
        Rules of what is held for a person, switched off or on; the essential ones stay on.
    devices_file
        The trust's own rectangles to blank, in the form of `pixels/devices.csv`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    options: frozenset[Option] = frozenset({Option.RETAIN_MODIFIED_DATES})
    allow: frozenset[Option] = frozenset()
    overrides: dict[Annotated[str, AfterValidator(_keyword)], Stricter] = Field(default_factory=dict)
    script_file: Path | None = None
    whitelist_file: Path | None = None
    lookup_file: Path | None = None
    project_scripts: bool = True
    rules_off: frozenset[HoldReason] = frozenset()
    rules_on: frozenset[HoldReason] = frozenset()
    devices_file: Path | None = None
