"""Blanks compressed pixels: decoded as stored, and compressed again where that loses nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, HTJ2KLossless, JPEG2000Lossless, JPEGLSLossless, RLELossless

from trust_node.imaging.deid.pixels.fills import fill
from trust_node.imaging.deid.pixels.native import BITS_OF_A_BYTE, paint
from trust_node.imaging.deid.pixels.rectangle import Rectangle, within

Pixels = NDArray[Any]

# What can be written again as it came. All else goes on uncompressed: lossy pixels must not lose a second time,
# and there is no free encoder here for the predictive JPEG of process 14.
SAME_FAMILY = {
    RLELossless: RLELossless,
    JPEGLSLossless: JPEGLSLossless,
    JPEG2000Lossless: JPEG2000Lossless,
    HTJ2KLossless: JPEG2000Lossless,
}
DEEPEST_ENCODED = 16  # bits that the encoders take
OPENJPEG_RGB = 1
# What a decoder says of the pixels it gives, and the attributes that must then say it.
_DESCRIBED = {
    "photometric_interpretation": "PhotometricInterpretation",
    "samples_per_pixel": "SamplesPerPixel",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}


def blank_encapsulated(dataset: FileDataset, rectangles: tuple[Rectangle, ...], syntax: UID) -> None:
    """Blank `rectangles` in every frame of compressed pixels, in place; see `blanking.blank` for what they become.

    Raises whatever a decoder raises for pixels that it can't read.
    """
    pixels = _decode(dataset, syntax)
    paint(pixels, within(rectangles, int(dataset.Rows), int(dataset.Columns)), fill(dataset, pixels))
    _store(dataset, pixels)
    target = SAME_FAMILY.get(syntax)
    if target is not None and int(dataset.BitsAllocated) <= DEEPEST_ENCODED:
        _compress(dataset, pixels, target)


def _decode(dataset: FileDataset, syntax: UID) -> Pixels:
    """Decode all frames: frames x rows x columns x samples.

    Colours stay as stored where they are stored as such again; else they become RGB, for many IODs (ultrasound's,
    PS3.3 C.8.5.6.1.2) know no uncompressed YBR.
    """
    array, facts = get_decoder(syntax).as_array(dataset, raw=syntax in SAME_FAMILY)
    for fact, keyword in _DESCRIBED.items():
        setattr(dataset, keyword, facts[fact])
    dataset.HighBit = int(dataset.BitsStored) - 1
    if int(dataset.SamplesPerPixel) > 1:
        dataset.PlanarConfiguration = 0
    return array.reshape(-1, int(dataset.Rows), int(dataset.Columns), int(dataset.SamplesPerPixel)).copy()


def _store(dataset: FileDataset, pixels: Pixels) -> None:
    raw = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
    _put(dataset, raw + b"\0" * (len(raw) % 2), ExplicitVRLittleEndian)
    dataset["PixelData"].VR = "OB" if int(dataset.BitsAllocated) <= BITS_OF_A_BYTE else "OW"  # PS3.5 A.2
    for offsets in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if offsets in dataset:
            del dataset[offsets]


def _put(dataset: FileDataset, raw: bytes, syntax: UID) -> None:
    dataset.PixelData = raw
    dataset["PixelData"].is_undefined_length = syntax.is_encapsulated
    dataset.file_meta.TransferSyntaxUID = syntax


def _compress(dataset: FileDataset, pixels: Pixels, target: UID) -> None:
    if target != JPEG2000Lossless:
        dataset.compress(target, generate_instance_uid=False)
        return
    coloured = dataset.PhotometricInterpretation == "RGB"
    _put(dataset, encapsulate([_jpeg2000(frame, dataset, coloured=coloured) for frame in pixels]), target)
    dataset["PixelData"].VR = "OB"
    if coloured:
        dataset.PhotometricInterpretation = "YBR_RCT"


def _jpeg2000(frame: Pixels, dataset: Dataset, *, coloured: bool) -> bytes:
    """Compress one frame without loss; colours by the reversible transform, as PS3.5 8.2.4 expects."""
    samples = np.ascontiguousarray(frame if frame.shape[-1] > 1 else frame[..., 0])
    kind = OPENJPEG_RGB if coloured else 0
    return bytes(encode_array(samples, bits_stored=int(dataset.BitsStored), photometric_interpretation=kind))
