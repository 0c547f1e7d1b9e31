import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import FileDataset
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from tests.unit.imaging.deid.pixels.samples import decoded, pictures
from trust_node.imaging.deid.pixels import Held, Rectangle, blank

warnings.filterwarnings("ignore", module="pydicom")
SAME_SYNTAX = {JPEG2000Lossless, JPEGLSLossless, RLELossless}


def again(dataset: FileDataset) -> FileDataset:
    """What is read after it was written."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return pydicom.dcmread(BytesIO(buffer.getvalue()))


def corner(dataset: FileDataset) -> Rectangle:
    """Something with odd edges, not all of the picture."""
    return Rectangle(1, 0, max(1, dataset.Columns // 2 - 1) | 1, max(1, dataset.Rows // 3) | 1)


@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.name)
def test_only_the_rectangle_changes_in_every_frame_and_sample(path: Path) -> None:
    original, blanked = pydicom.dcmread(path), pydicom.dcmread(path)
    rectangle = corner(original)
    before = decoded(original).copy()
    blank(blanked, [rectangle])
    written = again(blanked)
    after = decoded(written)
    mask = np.ones(before.shape[1:3], bool)
    mask[rectangle.top : rectangle.bottom, rectangle.left : rectangle.right] = False
    assert after.shape == before.shape
    assert written.BurnedInAnnotation == "NO"
    if original.PhotometricInterpretation == "YBR_FULL_422" and not original.file_meta.TransferSyntaxUID.is_compressed:
        mask[:, rectangle.left - 1 : rectangle.right + 1] = False  # the colour of a pair is shared
    assert (after[:, mask] == before[:, mask]).all()
    inside = after[:, rectangle.top : rectangle.bottom, rectangle.left : rectangle.right]
    assert (inside == inside[:1, :1, :1]).all()


@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.name)
def test_the_description_stays_true(path: Path) -> None:
    original, blanked = pydicom.dcmread(path), pydicom.dcmread(path)
    syntax = original.file_meta.TransferSyntaxUID
    blank(blanked, [corner(original)])
    kept = syntax in SAME_SYNTAX or not syntax.is_encapsulated
    assert blanked.file_meta.TransferSyntaxUID == (syntax if kept else ExplicitVRLittleEndian)
    for keyword in ("Rows", "Columns", "NumberOfFrames", "BitsStored", "PixelRepresentation", "LossyImageCompression"):
        if syntax.is_encapsulated and keyword == "BitsStored":
            continue  # some samples misstate what their JPEG holds; the decoder's word counts
        assert blanked.get(keyword) == original.get(keyword)
    assert blanked.SOPInstanceUID == original.SOPInstanceUID if "SOPInstanceUID" in original else True
    shown = again(blanked).pixel_array
    assert shown.shape == original.pixel_array.shape


@pytest.mark.parametrize(
    ("name", "darkest"),
    [("MR_small.dcm", min), ("SC_rgb.dcm", None), ("RG1_UNCI.dcm", max)],
)
def test_what_is_blanked_is_dark_and_inside_the_range_of_the_picture(name: str, darkest) -> None:
    dataset = pydicom.dcmread(get_testdata_file(name))
    values = decoded(dataset)
    expected = 0 if darkest is None else int(darkest(int(values.min()), int(values.max()), key=lambda v: v))
    if darkest is max:
        expected = int(values.max())
    blank(dataset, [Rectangle(0, 0, 5, 5)])
    assert (decoded(dataset)[:, :5, :5] == expected).all()


def test_a_palette_is_blanked_with_its_darkest_colour() -> None:
    from pydicom.pixels.processing import apply_color_lut

    dataset = pydicom.dcmread(get_testdata_file("examples_palette.dcm"))
    blank(dataset, [Rectangle(0, 0, 8, 8)])
    assert apply_color_lut(dataset.pixel_array[:8, :8], dataset).max() == 0


def test_ybr_pairs_turn_black_in_both_halves() -> None:
    dataset = pydicom.dcmread(get_testdata_file("SC_ybr_full_422_uncompressed.dcm"))
    blank(dataset, [Rectangle(3, 2, 4, 5)])
    assert dataset.pixel_array[2:7, 3:7].max() == 0
    assert (decoded(dataset)[0, 2:7, 3:7] == [0, 128, 128]).all()


def test_nothing_to_blank_changes_nothing() -> None:
    dataset = pydicom.dcmread(get_testdata_file("MR_small_jp2klossless.dcm"))
    before = dataset.PixelData
    blank(dataset, [])
    assert dataset.PixelData == before
    assert "BurnedInAnnotation" not in dataset


def test_pixels_that_cannot_be_decoded_are_held() -> None:
    dataset = pydicom.dcmread(get_testdata_file("MR_small_jp2klossless.dcm"))
    dataset.PixelData = pydicom.encaps.encapsulate([b"no picture at all"])
    with pytest.raises(Held, match="pixels_unreadable"):
        blank(dataset, [Rectangle(0, 0, 1, 1)])


@pytest.mark.parametrize(("keyword", "value"), [("Rows", 128), ("NumberOfFrames", 2), ("BitsAllocated", 12)])
def test_pixels_that_contradict_their_description_are_held(keyword: str, value: int) -> None:
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    setattr(dataset, keyword, value)
    with pytest.raises(Held, match="pixels_unreadable"):
        blank(dataset, [Rectangle(0, 0, 1, 1)])


def test_pixels_that_would_fill_the_memory_are_held_before_they_are_decoded() -> None:
    dataset = pydicom.dcmread(get_testdata_file("MR_small_jp2klossless.dcm"))
    dataset.Rows = dataset.Columns = 65535
    with pytest.raises(Held, match="pixels_too_large"):
        blank(dataset, [Rectangle(0, 0, 1, 1)])
