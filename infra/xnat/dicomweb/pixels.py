"""Frames of an instance: as they are stored, decoded, or drawn as a picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from anyio import CapacityLimiter
from PIL import Image
from pydicom.dataelem import RawDataElement
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import pixel_array

from infra.xnat.dicom import UNREADABLE
from infra.xnat.dicomweb.reading import header, unreadable
from infra.xnat.refusal import bad_request, not_found

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import FileDataset

LITTLE = "1.2.840.10008.1.2.1"
_PIXELS = 0x7FE00010
_MOST_PIXELS = 1 << 25
# A large picture takes some hundred MiB while it is decoded and drawn: never more than these at a time.
drawing = CapacityLimiter(2)
_FAILED = (*UNREADABLE, RuntimeError, OSError, IndexError)
_MEDIA = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame's bytes and what they are."""

    content: bytes
    media: str
    syntax: str


@dataclass(frozen=True, slots=True)
class Window:
    """Which values are drawn from black to white, in the units of the rescaled image (HU for CT)."""

    centre: float
    width: float


def frame_count(dataset: FileDataset) -> int:
    """Return how many frames there are; 0 when the instance is no image."""
    try:
        return int(dataset.get("NumberOfFrames", 1) or 1) if _PIXELS in dataset else 0
    except UNREADABLE:
        return 1


def frame(location: Path, number: int, *, as_stored: bool) -> Frame:
    """Return frame `number`, counted from 1. Native ones are little endian; others are decoded unless `as_stored`.

    Raises 404 for a frame that is not there and 422 for one that can't be read.
    """
    dataset = _image(location, number)
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if syntax.is_encapsulated and as_stored:
            return Frame(_stored(location, dataset, number), _media(syntax), syntax)
        pixels = pixel_array(location, index=number - 1, raw=True)
        return Frame(_packed(pixels), "application/octet-stream", LITTLE)
    except _FAILED as error:
        raise unreadable() from error


def _media(syntax: str) -> str:
    return _MEDIA.get(syntax, "application/octet-stream")


def _image(location: Path, number: int) -> FileDataset:
    dataset = header(location)
    if not 1 <= number <= frame_count(dataset):
        raise not_found("frames: the instance has no such frame")
    try:
        area = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel", 1))
    except UNREADABLE as error:
        raise unreadable() from error
    if not 0 < area <= _MOST_PIXELS:
        raise unreadable()
    return dataset


def _stored(location: Path, dataset: FileDataset, number: int) -> bytes:
    element, count = dataset.get_item(_PIXELS), frame_count(dataset)
    if not isinstance(element, RawDataElement) or element.value is not None:
        return bytes(get_frame(element.value, number - 1, number_of_frames=count))
    with location.open("rb") as file:
        file.seek(element.value_tell)
        return bytes(get_frame(file, number - 1, number_of_frames=count))


def _packed(pixels: NDArray[Any]) -> bytes:
    return bytes(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes())


def picture(location: Path, number: int, window: Window | None, kind: str = "PNG") -> bytes:
    """Return frame `number` drawn in 8 bits, as PNG or JPEG; without a window the instance's own one counts."""
    dataset = _image(location, number)
    try:
        pixels = pixel_array(location, index=number - 1)
        drawn = _drawn(dataset, pixels, window)
    except _FAILED as error:
        raise unreadable() from error
    out = io.BytesIO()
    Image.fromarray(drawn).save(out, kind)
    return out.getvalue()


def _drawn(dataset: FileDataset, pixels: NDArray[Any], window: Window | None) -> NDArray[np.uint8]:
    colours = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if colours == "PALETTE COLOR":
        return _eight_bits(apply_color_lut(pixels, dataset))
    if pixels.ndim > 2:  # noqa: PLR2004  rows, columns, colours
        return _eight_bits(pixels)
    values = np.asarray(apply_modality_lut(pixels, dataset), dtype=np.float32)
    shown = _shown(values, window or _own_window(dataset) or _whole_range(values))
    return np.invert(shown) if colours == "MONOCHROME1" else shown


def _eight_bits(colours: NDArray[Any]) -> NDArray[np.uint8]:
    return (colours >> 8 if colours.dtype.itemsize > 1 else colours).astype(np.uint8)


def _shown(values: NDArray[np.float32], window: Window) -> NDArray[np.uint8]:
    """Apply PS3.3 C.11.2.1.2.1, the linear window."""
    scaled = (values - (window.centre - 0.5)) / max(window.width - 1, 1e-6) + 0.5
    shown: NDArray[np.uint8] = (np.nan_to_num(np.clip(scaled, 0, 1)) * 255 + 0.5).astype(np.uint8)
    return shown


def _own_window(dataset: FileDataset) -> Window | None:
    centre, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    return None if centre is None or width is None or width < 1 else Window(centre, width)


def _first(value: Any) -> float | None:
    many = value if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") else [value]
    first = next(iter(many), None)
    return None if first is None else float(first)


def _whole_range(values: NDArray[np.float32]) -> Window:
    low, high = float(values.min()), float(values.max())
    return Window((low + high + 1) / 2, high - low + 1)


def window_of(text: str | None) -> Window | None:
    """Read `centre,width[,function]` (PS3.18 8.3.5.1.4); only the linear function is drawn. Raises 400."""
    if not text:
        return None
    try:
        centre, width = map(float, text.split(",")[:2])
    except ValueError as error:
        raise bad_request("window: give centre,width as numbers") from error
    if not (abs(centre) <= 1e9 and 1 <= width <= 1e9):  # noqa: PLR2004  beyond any image's values, and not NaN
        raise bad_request("window: the width is at least 1, and both are numbers of ordinary size")
    return Window(centre, width)
