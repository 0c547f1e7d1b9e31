from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from tests.unit.imaging.deid.pixels.samples import pictures
from trust_node.imaging.deid.pixels import NoPictureError, preview


@pytest.mark.parametrize("path", pictures()[::3], ids=lambda path: path.name)
def test_every_picture_can_be_looked_at(path: Path) -> None:
    shown = Image.open(BytesIO(preview(path)))
    assert max(shown.size) <= 1024
    header = pydicom.dcmread(path, stop_before_pixels=True)
    assert abs(shown.width / shown.height - header.Columns / header.Rows) < 0.01


def test_the_darkest_is_black_also_where_the_pixels_say_the_opposite() -> None:
    path = get_testdata_file("RG1_UNCI.dcm")
    stored = pydicom.dcmread(path).pixel_array
    shown = np.asarray(Image.open(BytesIO(preview(Path(path)))).resize(stored.shape[::-1], Image.Resampling.NEAREST))
    assert shown[stored >= np.quantile(stored, 0.95)].mean() < shown[stored <= np.quantile(stored, 0.05)].mean()


def test_colours_are_shown_as_rgb() -> None:
    path = get_testdata_file("SC_rgb_jpeg_dcmtk.dcm")
    shown = np.asarray(Image.open(BytesIO(preview(Path(path)))))
    assert (shown == pydicom.pixels.pixel_array(path)).all()


def test_of_a_cine_the_middle_is_shown(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(get_testdata_file("emri_small.dcm"))
    frames = np.zeros((10, dataset.Rows, dataset.Columns), np.uint16)
    frames[5, 10, 10] = 4000
    dataset.PixelData = frames.tobytes()
    dataset.save_as(tmp_path / "cine.dcm")
    assert np.asarray(Image.open(BytesIO(preview(tmp_path / "cine.dcm"))))[10, 10] == 255


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"Canaryson" * 50, "can't be decoded"), (Path(get_testdata_file("rtplan.dcm")).read_bytes(), "no pixels")],
)
def test_what_cannot_be_shown_is_told_without_quoting_it(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "file.dcm").write_bytes(content)
    with pytest.raises(NoPictureError, match=why) as told:
        preview(tmp_path / "file.dcm")
    assert "Canaryson" not in str(told.value)
