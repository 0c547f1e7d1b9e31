"""What a project may ask of de-identification; each trust decides whether its own floor allows that."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.message import Record

DeidOption = Literal[
    "clean_pixel_data",
    "clean_recognizable_visual_features",
    "clean_graphics",
    "clean_structured_content",
    "clean_descriptors",
    "retain_full_dates",
    "retain_modified_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
    "retain_uids",
    "retain_safe_private",
    "retain_institution_identity",
]
"""The options of DICOM PS3.15 annex E, by the names that policies use as well."""

ScriptText = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class DeidWish(Record):
    """A project's wish.

    Attributes
    ----------
    options
        Options of PS3.15 beside the Basic Profile; a trust that does not allow one of them imports nothing.
    script
        A DicomEdit 6 script, run after the profile and after the trust's own script.
    """

    options: Annotated[tuple[DeidOption, ...], Field(max_length=12)] = ()
    script: ScriptText | None = None
