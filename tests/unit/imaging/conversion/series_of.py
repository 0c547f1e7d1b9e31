"""Series made of real slices, laid out as a test wants them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom import FileDataset
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
Change = Callable[[FileDataset, int], None]


def lay_out(
    folder: Path,
    *,
    modality: str = "MR",
    slices: int = 6,
    orientation: Sequence[float] = AXIAL,
    step: float = 1.5,
    change: Change = lambda _, __: None,
) -> Path:
    """Write a stack along its normal; ``change`` gets each slice and its number before it is written."""
    folder.mkdir(exist_ok=True)
    study, series = generate_uid(), generate_uid()
    normal = np.cross(orientation[:3], orientation[3:])
    for number in range(slices):
        image = pydicom.dcmread(get_testdata_file("CT_small.dcm" if modality == "CT" else "MR_small.dcm"))
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.InstanceNumber, image.ImageType = number + 1, ["ORIGINAL", "PRIMARY", "OTHER"]
        image.ImageOrientationPatient = [round(float(cosine), 9) for cosine in orientation]
        place = np.array([-50.0, -40.0, -30.0]) + normal * step * number
        image.ImagePositionPatient = [round(float(mm), 6) for mm in place]
        image.pop("SpacingBetweenSlices", None)
        image.PixelData = (image.pixel_array + number).astype(image.pixel_array.dtype).tobytes()
        change(image, number)
        image.save_as(folder / f"{number:03}.dcm")
    return folder
