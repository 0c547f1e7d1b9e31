"""What may be wrong with what people add to images: a word for the hub, a sentence for the trust."""

from dataclasses import dataclass
from enum import StrEnum


class Flaw(StrEnum):
    UNKNOWN_STUDY = "unknown_study"
    UNKNOWN_SCAN = "unknown_scan"
    GEOMETRY_DIFFERS = "geometry_differs"
    LABEL_UNKNOWN = "label_unknown"
    IMAGE_UNREADABLE = "image_unreadable"
    MASK_UNREADABLE = "mask_unreadable"
    SEGMENTS_OVERLAP = "segments_overlap"
    SEVERAL_MASKS = "several_masks"

    @property
    def remedy(self) -> str:
        return _REMEDIES[self]


_REMEDIES = {
    Flaw.UNKNOWN_STUDY: "name a session of this project, as XNAT labels it",
    Flaw.UNKNOWN_SCAN: "name a scan that has an image, as XNAT numbers it",
    Flaw.GEOMETRY_DIFFERS: "draw the mask on the scan's own image: as many voxels, in the same place",
    Flaw.LABEL_UNKNOWN: "use whole numbers, those of labels.json if there is one, or add the value there",
    Flaw.IMAGE_UNREADABLE: "take the file away, or convert the scan again",
    Flaw.MASK_UNREADABLE: "save it as NIfTI, or as a binary or fractional DICOM segmentation",
    Flaw.SEGMENTS_OVERLAP: "a voxel has one label: take one segment away where two lie",
    Flaw.SEVERAL_MASKS: "keep one mask for each image",
}


class FlawError(Exception):
    """A file is refused; what it holds is not quoted."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Problem:
    """A file of the trust, what is wrong with it, and where in it."""

    file: str
    flaw: Flaw

    def __str__(self) -> str:
        return f"{self.file}: {self.flaw.value}: {self.flaw.remedy}"
