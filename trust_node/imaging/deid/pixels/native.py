"""Blanks uncompressed pixels where they lie: every other byte stays what it was."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from trust_node.imaging.deid.pixels.fills import fill
from trust_node.imaging.deid.pixels.header import number
from trust_node.imaging.deid.pixels.rectangle import Rectangle, within

Words = NDArray[Any]

BITS_OF_A_BYTE = 8
FLOATS = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}


class PixelsError(ValueError):
    """Pixels that contradict their own description; the message names the attribute, never a value."""


def blank_native(dataset: Dataset, rectangles: tuple[Rectangle, ...], *, little_endian: bool) -> None:
    """Blank `rectangles` in every frame of uncompressed pixels, in place.

    Raises
    ------
    PixelsError
        If there are fewer bytes than the Image Pixel module says, or it describes what no standard allows.
    """
    keyword = next((name for name in ("PixelData", *FLOATS) if name in dataset), None)
    if keyword is None:
        raise PixelsError("Pixel Data: there is none")
    raw = bytearray(dataset[keyword].value)
    inside = within(rectangles, int(dataset.Rows), int(dataset.Columns))
    if number(dataset, "BitsAllocated") == 1:
        _blank_bits(dataset, raw, inside)
    else:
        _blank_words(dataset, raw, _kind(dataset, keyword, little_endian=little_endian), inside)
    dataset[keyword].value = bytes(raw)


def _kind(dataset: Dataset, keyword: str, *, little_endian: bool) -> str:
    bits = int(dataset.BitsAllocated)
    if bits not in (8, 16, 32, 64):
        raise PixelsError("Bits Allocated: 1, 8, 16, 32 or 64 can be blanked")
    if bits == BITS_OF_A_BYTE:
        # Bytes of 16-bit words (OW) come swapped in pairs in big endian (PS3.5 8.1.1).
        return "u1" if little_endian or dataset[keyword].VR == "OB" else "swapped"
    return ("<" if little_endian else ">") + FLOATS.get(keyword, f"u{bits // BITS_OF_A_BYTE}")


def _blank_words(dataset: Dataset, raw: bytearray, kind: str, inside: tuple[Rectangle, ...]) -> None:
    words = np.frombuffer(raw, "u1" if kind == "swapped" else kind)
    if kind == "swapped":
        swapped = words[: len(words) // 2 * 2].reshape(-1, 2)
        swapped[:] = swapped[:, ::-1].copy()
    if str(dataset.get("PhotometricInterpretation", "")) == "YBR_FULL_422":
        _blank_pairs(dataset, words, inside)
    else:
        pixels = _by_pixel(dataset, words)
        paint(pixels, inside, fill(dataset, pixels))
    if kind == "swapped":
        swapped[:] = swapped[:, ::-1].copy()


def paint(pixels: Words, inside: tuple[Rectangle, ...], value: Words) -> None:
    """Set rectangles of every frame, `pixels` being frames x rows x columns x samples."""
    for r in inside:
        pixels[:, r.top : r.bottom, r.left : r.right] = value


def _by_pixel(dataset: Dataset, words: Words) -> Words:
    """Look at stored words as frames x rows x columns x samples, however they lie (Planar Configuration)."""
    frames, rows, columns, samples = shape(dataset)
    flat = _enough(words, frames * rows * columns * samples)
    if samples > 1 and number(dataset, "PlanarConfiguration") == 1:
        return np.moveaxis(flat.reshape(frames, samples, rows, columns), 1, -1)
    return flat.reshape(frames, rows, columns, samples)


def _blank_pairs(dataset: Dataset, words: Words, inside: tuple[Rectangle, ...]) -> None:
    """Blank Y Y Cb Cr, where two pixels of a row share their colour (PS3.3 C.7.6.3.1.2)."""
    frames, rows, columns, _ = shape(dataset)
    pairs = _enough(words, frames * rows * columns * 2).reshape(frames, rows, columns // 2, 4)
    luma, chroma = pairs[..., :2], pairs[..., 2:]
    dark, *middle = fill(dataset, pairs[..., :3])
    for r in inside:
        for half in (0, 1):
            luma[:, r.top : r.bottom, _half(r.left, half) : _half(r.right, half), half] = dark
        chroma[:, r.top : r.bottom, r.left // 2 : -(-r.right // 2)] = middle


def _half(column: int, half: int) -> int:
    """Return the first pair whose left (0) or right (1) pixel is not left of `column`."""
    return (column + 1 - half) // 2


def _blank_bits(dataset: Dataset, raw: bytearray, inside: tuple[Rectangle, ...]) -> None:
    """Blank packed single bits; frames follow one another without padding (PS3.5 8.1.1)."""
    frames, rows, columns, samples = shape(dataset)
    count = frames * rows * columns * samples
    if len(raw) * BITS_OF_A_BYTE < count:
        raise PixelsError("Pixel Data: shorter than Rows, Columns and Number of Frames say")
    bits = np.unpackbits(np.frombuffer(raw, "u1"), bitorder="little")
    paint(bits[:count].reshape(frames, rows, columns, samples), inside, np.zeros(1, "u1"))
    raw[:] = np.packbits(bits, bitorder="little").tobytes()


def shape(dataset: Dataset) -> tuple[int, int, int, int]:
    """Return frames, rows, columns and samples for each pixel."""
    return (
        number(dataset, "NumberOfFrames") or 1,
        int(dataset.Rows),
        int(dataset.Columns),
        number(dataset, "SamplesPerPixel") or 1,
    )


def _enough(words: Words, count: int) -> Words:
    if len(words) < count:
        raise PixelsError("Pixel Data: shorter than Rows, Columns and Number of Frames say")
    return words[:count]
