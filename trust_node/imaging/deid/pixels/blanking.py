"""Blanks rectangles in the pixels of an object, whatever way they are encoded (PS3.15 E.3.1)."""

import logging
from collections.abc import Iterable

from pydicom import Dataset
from pydicom.dataset import FileDataset

from trust_node.imaging.deid.pixels.encapsulated import blank_encapsulated
from trust_node.imaging.deid.pixels.native import BITS_OF_A_BYTE, blank_native, shape
from trust_node.imaging.deid.pixels.reasons import Held, HoldReason
from trust_node.imaging.deid.pixels.rectangle import Rectangle

log = logging.getLogger(__name__)

MOST_BYTES = 2**31


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
    try:
        _blank(dataset, chosen)
    except Exception as error:  # noqa: BLE001  hostile bytes break a decoder in any way it knows
        log.warning("held, its pixels can't be blanked: %s", type(error).__name__)
        raise Held(HoldReason.PIXELS_UNREADABLE) from None
    dataset.BurnedInAnnotation = "NO"


def _bytes(dataset: Dataset) -> int:
    frames, rows, columns, samples = shape(dataset)
    return frames * rows * columns * samples * max(1, int(dataset.BitsAllocated) // BITS_OF_A_BYTE)


def _blank(dataset: FileDataset, rectangles: tuple[Rectangle, ...]) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        blank_encapsulated(dataset, rectangles, syntax)
    else:
        blank_native(dataset, rectangles, little_endian=syntax.is_little_endian)
