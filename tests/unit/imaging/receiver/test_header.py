"""Who a data set is, told by us and by pydicom."""

import struct
import time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.data.data_manager import DATA_ROOT
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from trust_node.imaging.receiver.header import BIG_ENDIAN, IMPLICIT, Identity, identify
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.meta import file_head, read_file_head

EXPLICIT = "1.2.840.10008.1.2.1"
SEQUENCE = 0x0008, 0x1140
WHO = Identity("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", "1.2.3")


def sound_files() -> list[Path]:
    return [path for path in sorted((Path(DATA_ROOT) / "test_files").glob("*.dcm")) if _is_sound(path)]


def _is_sound(path: Path) -> bool:
    try:
        image = dcmread(path, stop_before_pixels=True)
        syntax = image.file_meta.TransferSyntaxUID
    except (InvalidDicomError, AttributeError, OSError, NotImplementedError):
        return False
    return "StudyInstanceUID" in image and syntax != DeflatedExplicitVRLittleEndian


def encoded(dataset: Dataset, syntax: str) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = syntax == IMPLICIT, syntax != BIG_ENDIAN
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def small() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.StudyInstanceUID = WHO.sop_class, WHO.sop_instance, WHO.study
    dataset.PatientName = "Canaryson^Jane"
    return dataset


@pytest.mark.parametrize("path", sound_files(), ids=lambda path: path.name)
def test_we_read_what_pydicom_reads(path: Path) -> None:
    data, image = path.read_bytes(), dcmread(path, stop_before_pixels=True)
    head = read_file_head(data)
    assert head.transfer_syntax == image.file_meta.TransferSyntaxUID
    found = identify(data[head.start :], head.transfer_syntax)
    assert found.study == image.StudyInstanceUID
    assert (found.sop_class, found.sop_instance) == (image.get("SOPClassUID", ""), image.get("SOPInstanceUID", ""))


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize("open_ended", [True, False])
def test_nested_sequences_and_large_private_values_are_stepped_over(syntax: str, open_ended: bool) -> None:
    dataset, inner = small(), small()
    inner.StudyInstanceUID = "9.9.9"
    for _ in range(20):
        outer = Dataset()
        outer.add_new(SEQUENCE, "SQ", [inner, Dataset()])
        outer[SEQUENCE].is_undefined_length = open_ended
        for item in outer[SEQUENCE].value:
            item.is_undefined_length_sequence_item = open_ended
        inner = outer
    dataset.update(inner)
    dataset.private_block(0x0019, "CANARY", create=True).add_new(1, "OB", bytes(300_000))
    assert identify(encoded(dataset, syntax), syntax) == WHO


def test_a_private_sequence_whose_vr_got_lost_is_stepped_over() -> None:
    """UN of open length holds implicit VR whatever the transfer syntax is (PS3.5 6.2.2)."""
    inner = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + encoded(small(), IMPLICIT)
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    lost = struct.pack("<HH2sHI", 0x0019, 0x1001, b"UN", 0, 0xFFFFFFFF) + inner + ends
    before, after = small(), small()
    del before.StudyInstanceUID, after.SOPClassUID, after.SOPInstanceUID
    assert identify(encoded(before, EXPLICIT) + lost + encoded(after, EXPLICIT), EXPLICIT) == WHO


@given(st.binary(max_size=300), st.sampled_from([IMPLICIT, EXPLICIT, BIG_ENDIAN]))
def test_any_bytes_are_a_data_set_or_malformed(data: bytes, syntax: str) -> None:
    whole = encoded(small(), syntax)
    for hostile in (data, whole[:40] + data, data + whole):
        try:
            identify(hostile, syntax)
        except MalformedError:
            continue


def test_sequences_without_end_end_here() -> None:
    opening = struct.pack("<HHI", *SEQUENCE, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(MalformedError, match="deep"):
        identify(opening * 10_000, IMPLICIT)


def test_elements_without_end_end_here_and_soon() -> None:
    began = time.monotonic()
    with pytest.raises(MalformedError, match="too many"):
        identify(struct.pack("<HHI", 8, 8, 0) * 2_000_000, IMPLICIT)
    assert time.monotonic() - began < 2


def test_a_uid_that_is_megabytes_long_is_none() -> None:
    with pytest.raises(MalformedError, match="64"):
        identify(struct.pack("<HHI", 8, 0x16, 2**24) + b"1" * 2**24, IMPLICIT)


@given(st.from_regex(r"[12](\.(0|[1-9][0-9]{0,5})){1,8}", fullmatch=True))
def test_pydicom_reads_the_files_that_we_make_of_data_sets(instance: str) -> None:
    head = file_head(WHO.sop_class, instance, IMPLICIT)
    read = dcmread(BytesIO(head + encoded(small(), IMPLICIT)))
    assert (read.file_meta.MediaStorageSOPInstanceUID, read.StudyInstanceUID) == (instance, WHO.study)
    assert read.file_meta.FileMetaInformationGroupLength == len(head) - 144
    ours = read_file_head(head + bytes(8))
    assert (ours.sop_class, ours.sop_instance, ours.transfer_syntax) == (WHO.sop_class, instance, IMPLICIT)


@pytest.mark.parametrize("broken", [b"", b"x" * 400, bytes(128) + b"DICM", bytes(128) + b"DICM\2\0\1\0OB"])
def test_what_is_no_dicom_file_is_said_to_be_none(broken: bytes) -> None:
    with pytest.raises(MalformedError):
        read_file_head(broken)
