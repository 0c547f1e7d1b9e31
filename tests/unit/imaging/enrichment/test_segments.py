"""Segmentations written by highdicom, read back voxel by voxel onto the image that they were drawn on."""

from contextlib import suppress
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.sr.codedict import codes
from pydicom.uid import RLELossless, generate_uid

from tests.unit.imaging.conversion.series_of import AXIAL, CORONAL, SAGITTAL, lay_out
from trust_node.imaging.conversion.plain import as_volume
from trust_node.imaging.conversion.series import read_series
from trust_node.imaging.enrichment.flaws import Flaw, FlawError
from trust_node.imaging.enrichment.grids import Grid
from trust_node.imaging.enrichment.segments import read_segments

OBLIQUE = (0.8, 0.6, 0.0, -0.48, 0.64, 0.6)


def described(number: int) -> highdicom.seg.SegmentDescription:
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"s{number}",
        segmented_property_category=codes.cid7150.Tissue,
        segmented_property_type=codes.cid7166.ConnectiveTissue,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def segmentation(
    series: Path, pixels: np.ndarray, segments: int, *, kind: str = "BINARY", **options
) -> highdicom.seg.Segmentation:
    """``pixels`` by slice, row and column, as the files of the series are numbered."""
    return highdicom.seg.Segmentation(
        source_images=[pydicom.dcmread(file) for file in sorted(series.glob("*.dcm"))],
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[described(number + 1) for number in range(segments)],
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="1",
        device_serial_number="1",
        **options,
    )


def image_of(series: Path) -> Grid:
    volume = as_volume(read_series(series))
    assert volume is not None
    return Grid(volume.values.shape, volume.affine)


def on_image(series: Path, pixels: np.ndarray) -> np.ndarray:
    """The same labels laid out as the converter lays out the series: an oracle that knows nothing of segmentations."""
    for file, plane in zip(sorted(series.glob("*.dcm")), pixels, strict=True):
        image = pydicom.dcmread(file)
        image.PixelData = plane.astype(np.int16).tobytes()
        image.save_as(file)
    volume = as_volume(read_series(series))
    assert volume is not None
    return volume.values


def blocks(seed: int, labels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(0, labels + 1, (4, 64, 64)) * (rng.random((4, 64, 64)) < 0.1)).astype(np.uint8)


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL, OBLIQUE])
@pytest.mark.parametrize("acquired", ["2D", "3D"])
def test_a_binary_segmentation_lies_where_it_was_drawn(orientation, acquired: str, tmp_path: Path) -> None:
    def change(image, _) -> None:
        image.MRAcquisitionType = acquired

    series = lay_out(tmp_path / "series", slices=4, orientation=orientation, change=change)
    pixels = blocks(7, labels=2)
    segmentation(series, pixels, 2).save_as(tmp_path / "seg.dcm")
    read = read_segments(tmp_path / "seg.dcm", image_of(series))
    assert read.any()
    assert np.array_equal(read, on_image(series, pixels))


@given(seed=st.integers(0, 10**6), labels=st.integers(1, 3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_drawn(seed: int, labels: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("seg")
    series, pixels = lay_out(folder / "series", slices=4), blocks(seed, labels)
    segmentation(series, pixels, labels).save_as(folder / "seg.dcm")
    read = read_segments(folder / "seg.dcm", image_of(series))
    assert np.array_equal(read, on_image(series, pixels))


def test_a_fractional_segmentation_counts_from_one_half(tmp_path: Path) -> None:
    series = lay_out(tmp_path / "series", slices=4)
    pixels = np.zeros((4, 64, 64))
    pixels[1, 5, 6], pixels[2, 7, 8], pixels[3, 9, 1] = 0.49, 0.51, 1.0
    segmentation(series, pixels, 1, kind="FRACTIONAL").save_as(tmp_path / "seg.dcm")
    assert np.array_equal(read_segments(tmp_path / "seg.dcm", image_of(series)), on_image(series, pixels >= 0.5))


def test_a_run_length_coded_one_is_read(tmp_path: Path) -> None:
    series, pixels = lay_out(tmp_path / "series", slices=4), np.zeros((4, 64, 64))
    pixels[1, 2:9, 3:5] = 1
    seg = segmentation(series, pixels, 1, kind="FRACTIONAL", transfer_syntax_uid=RLELossless)
    seg.save_as(tmp_path / "seg.dcm")
    assert read_segments(tmp_path / "seg.dcm", image_of(series)).sum() == 14


def flaw_of(file: Path, grid: Grid) -> Flaw:
    with pytest.raises(FlawError) as found:
        read_segments(file, grid)
    return found.value.flaw


def test_one_of_another_image_is_refused(tmp_path: Path) -> None:
    series = lay_out(tmp_path / "series", slices=4)
    segmentation(series, blocks(1, 1), 1).save_as(tmp_path / "seg.dcm")
    grid = image_of(series)
    half_a_voxel = grid.affine.copy()
    half_a_voxel[:3, 3] += grid.affine[:3, 0] / 2
    assert flaw_of(tmp_path / "seg.dcm", Grid(grid.shape, half_a_voxel)) is Flaw.GEOMETRY_DIFFERS
    assert flaw_of(tmp_path / "seg.dcm", Grid((64, 64, 2), grid.affine)) is Flaw.GEOMETRY_DIFFERS


def test_two_segments_in_one_voxel_are_refused(tmp_path: Path) -> None:
    series = lay_out(tmp_path / "series", slices=4)
    pixels = np.zeros((4, 64, 64, 2), np.uint8)
    pixels[1, 5, 5, :] = 1
    segmentation(series, pixels, 2).save_as(tmp_path / "seg.dcm")
    assert flaw_of(tmp_path / "seg.dcm", image_of(series)) is Flaw.SEGMENTS_OVERLAP


def spoilt(**changes: object):
    def spoil(seg: pydicom.Dataset) -> None:
        for keyword, value in changes.items():
            setattr(seg, keyword, value)

    return spoil


def without(keyword: str):
    return lambda seg: seg.pop(keyword)


@pytest.mark.parametrize(
    "spoil",
    [
        spoilt(NumberOfFrames=10**9, Rows=65535, Columns=65535),
        spoilt(NumberOfFrames=1),
        spoilt(SegmentationType="LABELMAP"),
        spoilt(PixelData=b"\0" * 10),
        spoilt(SharedFunctionalGroupsSequence=[]),
        without("PerFrameFunctionalGroupsSequence"),
        without("PixelData"),
        without("SegmentationType"),
    ],
)
def test_what_is_no_segmentation_is_refused_and_takes_no_memory(spoil, tmp_path: Path) -> None:
    series = lay_out(tmp_path / "series", slices=4)
    segmentation(series, blocks(1, 1), 1).save_as(tmp_path / "whole.dcm")
    seg = pydicom.dcmread(tmp_path / "whole.dcm")
    spoil(seg)
    seg.save_as(tmp_path / "seg.dcm")
    assert flaw_of(tmp_path / "seg.dcm", image_of(series)) is Flaw.MASK_UNREADABLE


@given(cut=st.integers(0, 3000), flip=st.integers(0, 255))
@example(cut=149, flip=0)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_end_in_a_flaw_or_in_labels(
    cut: int, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = _whole(tmp_path_factory)
    content = bytearray(whole.read_bytes())
    content[cut % len(content)] = flip
    spoilt_file = whole.with_name("spoilt.dcm")
    spoilt_file.write_bytes(content[: len(content) - cut // 2])
    with suppress(FlawError):
        assert read_segments(spoilt_file, image_of(whole.parent / "series")).dtype == np.uint16


def _whole(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "whole"
    if not folder.exists():
        folder.mkdir()
        series = lay_out(folder / "series", slices=4)
        segmentation(series, blocks(1, 1), 1).save_as(folder / "seg.dcm")
    return folder / "seg.dcm"
