"""The picture that a person looks at before letting an object go."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from trust_node.imaging.deid.pixels.header import number, text

LONGEST_SIDE = 1024
_WHITE = 255
Picture = NDArray[Any]


class NoPictureError(ValueError):
    """An object that can't be shown; the message says why and quotes nothing of it."""


def preview(file: Path) -> bytes:
    """Return the middle frame as a PNG of at most 1024 pixels a side, windowed as the object asks for.

    Raises
    ------
    NoPictureError
        If the object has no pixels (a report, a document) or they can't be decoded.
    """
    try:
        picture = _picture(file)
    except Exception as error:  # noqa: BLE001  hostile bytes break a decoder in any way it knows
        raise NoPictureError(f"preview: the pixels can't be decoded ({type(error).__name__})") from None
    if picture is None:
        raise NoPictureError("preview: the object holds no pixels; read it with a viewer for its kind")
    return _png(picture)


def _picture(file: Path) -> Picture | None:
    """Return the middle frame in 8 bits, grey or RGB; decoders give YBR as RGB unless asked for raw pixels."""
    dataset = pydicom.dcmread(file)
    if not number(dataset, "Rows"):
        return None
    frame = pixel_array(dataset, index=number(dataset, "NumberOfFrames") // 2)
    return _eight_bits(frame) if number(dataset, "SamplesPerPixel") > 1 else _grey(frame, dataset)


def _grey(frame: Picture, header: Dataset) -> Picture:
    if text(header, "PhotometricInterpretation") == "PALETTE COLOR":
        return _eight_bits(apply_color_lut(frame, header))
    shown = _eight_bits(apply_voi_lut(apply_modality_lut(frame, header), header).astype(np.float64))
    return _WHITE - shown if text(header, "PhotometricInterpretation") == "MONOCHROME1" else shown


def _eight_bits(picture: Picture) -> Picture:
    if picture.dtype == np.uint8:
        return picture
    low, high = float(np.nanmin(picture)), float(np.nanmax(picture))
    scaled = (np.nan_to_num(picture.astype(np.float64)) - low) * (_WHITE / ((high - low) or 1.0))
    return scaled.clip(0, _WHITE).astype(np.uint8)


def _png(picture: Picture) -> bytes:
    image = Image.fromarray(picture)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
