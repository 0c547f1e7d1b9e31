"""What hides among the bytes of pixels is found: behind the last pixel, or inside a compressed stream."""

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from trust_node.imaging.deid import CleanFile, DeidKeys, HeldFile, clean_file
from trust_node.imaging.deid.pixels import HoldReason

KEYS = DeidKeys(bytes(range(32)))
PLANTED = "ZZPLANT471199"
PIXELS, FRAGMENT, DELIMITER = b"\xe0\x7f\x10\x00", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
COMPRESSED = ["MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm", "MR_small_RLE.dcm"]


def cleaned(folder: Path, data: bytes) -> CleanFile | HeldFile:
    original = folder / "original.dcm"
    original.write_bytes(data)
    return clean_file(original, folder, KEYS)


def image(folder: Path, name: str, behind: bytes = b"") -> bytes:
    dataset = pydicom.dcmread(get_testdata_file(name))
    dataset.PatientID = PLANTED
    dataset.PixelData += behind
    dataset.save_as(folder / "made.dcm")
    return (folder / "made.dcm").read_bytes()


@pytest.mark.parametrize("name", COMPRESSED)
def test_an_id_among_compressed_pixels_is_found(tmp_path: Path, name: str) -> None:
    data = image(tmp_path, name)
    assert isinstance(cleaned(tmp_path, data), CleanFile)
    at = data.index(DELIMITER, data.index(PIXELS)) - 60
    held = cleaned(tmp_path, data[:at] + PLANTED.encode() + data[at + len(PLANTED) :])
    assert isinstance(held, HeldFile)
    assert held.reason == HoldReason.LEAK


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("lie", [-100, -2, 2, 100, 10**6])
def test_a_lying_fragment_hides_nothing(tmp_path: Path, name: str, lie: int) -> None:
    data = image(tmp_path, name)
    begun = data.index(PIXELS)
    at = data.index(DELIMITER, begun) - 60
    data = data[:at] + PLANTED.encode() + data[at + len(PLANTED) :]
    length = data.index(FRAGMENT, data.index(FRAGMENT, begun) + 4) + 4
    claimed = int.from_bytes(data[length : length + 4], "little") + lie
    data = data[:length] + max(0, claimed).to_bytes(4, "little") + data[length + 4 :]
    assert isinstance(cleaned(tmp_path, data), HeldFile)


def test_an_id_behind_the_last_pixel_is_found(tmp_path: Path) -> None:
    held = cleaned(tmp_path, image(tmp_path, "CT_small.dcm", PLANTED.encode() + b"\0"))
    assert isinstance(held, HeldFile)
    assert held.places == ("PixelData",)


def test_padding_behind_the_last_pixel_holds_nothing_back(tmp_path: Path) -> None:
    assert isinstance(cleaned(tmp_path, image(tmp_path, "CT_small.dcm", bytes(128))), CleanFile)
