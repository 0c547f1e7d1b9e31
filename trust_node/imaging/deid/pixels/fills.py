"""What a blanked pixel holds: the darkest thing there is, in the picture's own terms."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

Words = NDArray[Any]

MIDDLE_OF_8_BITS = 128
_YBR = ("YBR_FULL", "YBR_FULL_422")


def fill(dataset: Dataset, words: Words) -> Words:
    """Return one value for each sample of a pixel.

    Grey pictures get the darkest value that they hold already (the brightest for MONOCHROME1, which shows it black),
    so that their range, and what Smallest Image Pixel Value says of it, stay as they were.

    Parameters
    ----------
    dataset
        Describes the pixels by its Image Pixel module (PS3.3 C.7.6.3).
    words
        The stored pixels, samples of a pixel in the last axis.
    """
    photometric = str(dataset.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        return np.array([_darkest_entry(dataset)], words.dtype)
    if photometric in _YBR:
        return np.array([0, MIDDLE_OF_8_BITS, MIDDLE_OF_8_BITS], words.dtype)
    if words.shape[-1] > 1:
        return np.zeros(words.shape[-1], words.dtype)
    return _extreme(dataset, words, brightest=photometric == "MONOCHROME1")


def _extreme(dataset: Dataset, words: Words, *, brightest: bool) -> Words:
    flat = words.reshape(-1)
    values = flat if flat.dtype.kind == "f" else _meaning(dataset, flat)
    return flat[[values.argmax() if brightest else values.argmin()]]


def _meaning(dataset: Dataset, words: Words) -> Words:
    """Return what stored words stand for: Bits Stored below High Bit, signed or not (PS3.5 8.1)."""
    stored, high = int(dataset.BitsStored), int(dataset.get("HighBit", dataset.BitsStored - 1))
    values = (words.astype(np.int64) >> (high + 1 - stored)) & ((1 << stored) - 1)
    sign = 1 << (stored - 1)
    return (values ^ sign) - sign if dataset.PixelRepresentation else values


def _darkest_entry(dataset: Dataset) -> int:
    entries, first, _ = (int(part) for part in dataset.RedPaletteColorLookupTableDescriptor)
    colours = apply_color_lut(np.arange(first, first + (entries or 1 << 16), dtype=np.int64), dataset)
    return first + int(colours[..., :3].sum(axis=-1).argmin())
