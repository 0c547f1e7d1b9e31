"""Blanks rectangles in the pixels of an object, whatever way they are compressed (PS3.15 E.3.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from trust_node.imaging.deid.pixels.fills import fill
from trust_node.imaging.deid.pixels.native import BITS_OF_A_BYTE, PixelsError, blank_native, paint, shape
from trust_node.imaging.deid.pixels.reasons import Held, HoldReason
from trust_node.imaging.deid.pixels.rectangle import Rectangle, within

MOST_BYTES = 2**31
# What can be written again as it came. All else goes on uncompressed: lossy pixels must not lose a second time,
# and the predictive JPEG of process 14 has no free encoder here.
SAME_AGAIN = {
    RLELossless: RLELossless,
    JPEGLSLossless: JPEGLSLossless,
    JPEG2000Lossless: JPEG2000Lossless,
    HTJ2KLossless: JPEG2000Lossless,
}
DEEPEST_ENCODED = 16  # bits that the JPEG encoders take
# What a decoder says of the pixels it gives, and the attributes that must then say it.
_DESCRIBED = {
    "photometric_interpretation": "PhotometricInterpretation",
    "samples_per_pixel": "SamplesPerPixel",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}


@dataclass(frozen=True, slots=True)
class _Decoded:
    pixels: np.ndarray[Any, Any]
    described: dict[str, Any]


def blank(dataset: FileDataset, rectangles: Iterable[Rectangle]) -> None:
    """Blank `rectangles` in every frame, in place, and say that no text is burned in any more.

    Outside of them an object that was stored without loss keeps every pixel, in the same transfer syntax where
    there is an encoder for it; one that was stored with loss keeps its decoded pixels, in Explicit VR Little Endian,
    and goes on saying that it once lost something (Lossy Image Compression).

    Raises
    ------
    Held
        With `pixels_too_large` if more than 2 GiB would be needed, with `pixels_unreadable` if they can't be decoded.
    """
    chosen = tuple(rectangles)
    if not chosen:
        return
    if _bytes(dataset) > MOST_BYTES:
        raise Held(HoldReason.PIXELS_TOO_LARGE)
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if syntax.is_compressed and syntax.is_encapsulated:
            _blank_encapsulated(dataset, chosen, syntax)
        else:
            blank_native(dataset, chosen, little_endian=syntax.is_little_endian)
    except (PixelsError, AttributeError, ValueError, RuntimeError, NotImplementedError, KeyError) as error:
        raise Held(HoldReason.PIXELS_UNREADABLE) from error
    dataset.BurnedInAnnotation = "NO"


def _bytes(dataset: Dataset) -> int:
    frames, rows, columns, samples = shape(dataset)
    return frames * rows * columns * samples * max(1, int(dataset.BitsAllocated) // 8)


def _blank_encapsulated(dataset: FileDataset, rectangles: tuple[Rectangle, ...], syntax: UID) -> None:
    decoded = _decoded(dataset, syntax)
    _describe(dataset, decoded.described)
    inside = within(rectangles, int(dataset.Rows), int(dataset.Columns))
    paint(decoded.pixels, inside, fill(dataset, decoded.pixels))
    _store_native(dataset, decoded.pixels)
    target = SAME_AGAIN.get(syntax)
    if target is not None and (target == RLELossless or int(dataset.BitsStored) <= DEEPEST_ENCODED):
        _compress(dataset, target)


def _decoded(dataset: FileDataset, syntax: UID) -> _Decoded:
    """Decode every frame as stored, without a conversion of its colours."""
    frames, rows, columns, _ = shape(dataset)
    whole: np.ndarray[Any, Any] | None = None
    described: dict[str, Any] = {}
    for place, (frame, facts) in enumerate(get_decoder(syntax).iter_array(dataset, raw=True)):
        if whole is None:
            whole, described = np.empty((frames, rows, columns, facts["samples_per_pixel"]), frame.dtype), facts
        whole[place] = frame.reshape(whole.shape[1:])
    if whole is None:
        raise PixelsError("Pixel Data: no frame could be decoded")
    return _Decoded(whole, described)


def _describe(dataset: Dataset, facts: dict[str, Any]) -> None:
    for fact, keyword in _DESCRIBED.items():
        if fact in facts:
            setattr(dataset, keyword, facts[fact])
    dataset.HighBit = int(dataset.BitsStored) - 1
    if int(dataset.SamplesPerPixel) > 1:
        dataset.PlanarConfiguration = 0


def _store_native(dataset: FileDataset, pixels: np.ndarray[Any, Any]) -> None:
    raw = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    element = dataset["PixelData"]
    element.VR = "OB" if int(dataset.BitsAllocated) <= BITS_OF_A_BYTE else "OW"  # PS3.5 A.2
    element.is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for offsets in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if offsets in dataset:
            del dataset[offsets]


def _compress(dataset: FileDataset, target: UID) -> None:
    """Compress again without loss; colours go through JPEG 2000's reversible transform as they came."""
    if target == JPEG2000Lossless and dataset.PhotometricInterpretation == "RGB":
        dataset.PhotometricInterpretation = "YBR_RCT"
    dataset.compress(target, generate_instance_uid=False)
