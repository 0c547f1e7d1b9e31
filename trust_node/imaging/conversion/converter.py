"""One series to NIfTI, by whichever way fits it, with the same checks behind both."""

import asyncio
from pathlib import Path

from trust_node.imaging.conversion.dcm2niix import Dcm2niix
from trust_node.imaging.conversion.outcome import Conversion
from trust_node.imaging.conversion.plain import as_volume
from trust_node.imaging.conversion.series import Slice, count_images, read_series
from trust_node.imaging.conversion.spacing import check_spacing
from trust_node.imaging.conversion.writing import write_nifti, write_notes

OURS = "trustflow 1"
"""Changes when what is written does."""


async def convert_series(dcm2niix: Dcm2niix, dicom: Path, target: Path, name: str) -> Conversion:
    """Convert the one series in `dicom` to `target/name*.nii.gz`; nothing is written if it has no images.

    Raises
    ------
    ConversionError
        `conversion_failed`, `conversion_timed_out`, `slices_lost` when the counts differ, `spacing_irregular`.
    """
    slices = await asyncio.to_thread(read_series, dicom)
    images = count_images(slices)
    check_spacing(slices)
    quickly = await asyncio.to_thread(_plainly, slices, target, name)
    return quickly or await dcm2niix.convert(dicom, images, target, name)


def _plainly(slices: list[Slice], target: Path, name: str) -> Conversion | None:
    volume = as_volume(slices)
    if volume is None:
        return None
    files = target / f"{name}.json", target / f"{name}.nii.gz"
    write_notes(slices[0].header, files[0])
    write_nifti(volume, files[1])
    return Conversion(files, len(slices), len(slices), OURS)
