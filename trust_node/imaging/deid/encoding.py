"""How values are written in a little-endian file (PS3.5 7.1): the little that the fast way needs."""

from io import BytesIO
from struct import pack

from pydicom import DataElement, Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

_LONGEST_SHORT = 0xFFFF


def decoded(raw: bytes, *, explicit: bool) -> Dataset:
    """Read elements that stand alone; their character set is read where it stands before them."""
    return read_dataset(BytesIO(raw), not explicit, is_little_endian=True)


def encoded(dataset: Dataset, *, explicit: bool) -> bytes:
    """Write elements as they stand within a file."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = not explicit, True
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def alone(element: DataElement) -> Dataset:
    """Return a data set of this element only."""
    dataset = Dataset()
    dataset.add(element)
    return dataset


def element(raw: bytes, value: bytes, padding: bytes, *, explicit: bool) -> bytes:
    """Return the element `raw`, of a VR with a short length, with another value.

    Raises
    ------
    ValueError
        If the value is too long for the field of its length.
    """
    value += padding * (len(value) % 2)
    if explicit and len(value) > _LONGEST_SHORT:
        raise ValueError("value too long for its VR")
    return (raw[:6] + pack("<H", len(value)) if explicit else raw[:4] + pack("<L", len(value))) + value


def short_element(number: int, vr: bytes, value: bytes) -> bytes:
    """Return an element of the file meta information, of a VR with a short length."""
    value += (b" " if vr == b"SH" else b"\0") * (len(value) % 2)
    return pack("<HH2sH", 0x0002, number, vr, len(value)) + value
