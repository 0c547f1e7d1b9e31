"""Writes a name into a picture's pixels, as devices do."""

import numpy as np
from PIL import Image, ImageDraw
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless

from tests.unit.imaging.deid.pixels.samples import decoded

Box = tuple[int, int, int, int]


def write_name(dataset: FileDataset, name: str, left: int, top: int) -> Box:
    """Draw `name` in white; return the box around it: left, top, right, bottom."""
    pixels = decoded(dataset).copy()
    mask = Image.new("1", (dataset.Columns, dataset.Rows))
    ImageDraw.Draw(mask).text((left, top), name, fill=1)
    ink = np.asarray(mask)
    pixels[:, ink] = 255
    rows, columns = np.nonzero(ink)
    _store(dataset, pixels)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _store(dataset: FileDataset, pixels: np.ndarray) -> None:
    compressed = dataset.file_meta.TransferSyntaxUID == JPEG2000Lossless
    if compressed:
        from openjpeg.utils import encode_array
        from pydicom.encaps import encapsulate

        dataset.PixelData = encapsulate([bytes(encode_array(frame, photometric_interpretation=1)) for frame in pixels])
        return
    raw = pixels.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
