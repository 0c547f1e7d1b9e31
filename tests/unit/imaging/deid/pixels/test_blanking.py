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
def test_only_the_rectangle_changes_and_the_description_stays_true(path: Path) -> None:
    original, blanked = pydicom.dcmread(path), pydicom.dcmread(path)
    blank(blanked, [corner(original)])
    written = again(blanked)
    assert_only_the_rectangle_changed(original, written)
    syntax = original.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        assert len(written.PixelData) == len(original.PixelData)
        assert description(written) == description(original)
    kept = not syntax.is_encapsulated or (syntax in SAME_SYNTAX and original.BitsAllocated <= 16)
    assert written.file_meta.TransferSyntaxUID == (syntax if kept else ExplicitVRLittleEndian)
    assert written.get("LossyImageCompression") == original.get("LossyImageCompression")
    assert written.get("SOPInstanceUID") == original.get("SOPInstanceUID")
    assert written.BurnedInAnnotation == "NO"


def assert_only_the_rectangle_changed(original: FileDataset, written: FileDataset) -> None:
    before, after, r = decoded(original), decoded(written), corner(original)
    inside = after[:, r.top : r.bottom, r.left : r.right]
    assert after.shape == before.shape
    assert (inside == inside[:1, :1, :1]).all()
    shown, showed = written.pixel_array.reshape(before.shape), original.pixel_array.reshape(before.shape)
    left, right = r.left, r.right
    if original.PhotometricInterpretation == "YBR_FULL_422":
        left, right = r.left - 1, r.right + 1  # the colour of a pair of pixels is shared
    mask = np.ones(before.shape[1:3], bool)
    mask[r.top : r.bottom, left:right] = False
    if written.PhotometricInterpretation[:3] == original.PhotometricInterpretation[:3]:
        assert (after[:, mask] == before[:, mask]).all()
    assert (shown[:, mask] == showed[:, mask]).all()


def description(dataset: FileDataset) -> list[object]:
    return [
        dataset.get(keyword)
        for keyword in (
            "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
            "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "darkest"), [("MR_small.dcm", np.min), ("RG1_UNCI.dcm", np.max)])
def test_grey_is_blanked_with_the_darkest_value_that_the_picture_holds(name: str, darkest) -> None:
    dataset = pydicom.dcmread(get_testdata_file(name))
    expected = darkest(dataset.pixel_array)
    blank(dataset, [Rectangle(0, 0, 5, 5)])
    assert (dataset.pixel_array[:5, :5] == expected).all()


def test_colours_are_blanked_black() -> None:
    dataset = pydicom.dcmread(get_testdata_file("SC_rgb.dcm"))
    blank(dataset, [Rectangle(0, 0, 5, 5)])
    assert dataset.pixel_array[:5, :5].max() == 0


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
