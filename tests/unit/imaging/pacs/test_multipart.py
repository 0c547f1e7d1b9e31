from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.pacs import PacsError, Trouble
from trust_node.imaging.pacs.multipart import LONGEST_HEADERS, boundary_of, parts

BOUNDARY = b"boundary-1f"
# Contents that look like delimiters, so that a naive search would cut them.
nasty = st.sampled_from([b"", b"\r\n", b"--", b"\r\n--boundary-1", b"--boundary-1f", b"\r", b"\n--", b"\r\n\r\n"])
contents = (
    st.lists(nasty | st.binary(max_size=40), max_size=6).map(b"".join).filter(lambda it: b"\r\n--boundary-1f" not in it)
)


def body_of(wanted: list[bytes], preamble: bytes = b"", epilogue: bytes = b"") -> bytes:
    each = [b"--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n" for content in wanted]
    return preamble + b"".join(each) + b"--" + BOUNDARY + b"--\r\n" + epilogue


def cut(body: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    return [piece for piece in [*pieces, body[at:]] if piece]


def read(pieces: list[bytes]) -> list[bytes]:
    return [b"".join(part) for part in parts(pieces, BOUNDARY)]


@given(
    st.lists(contents, max_size=5), st.lists(st.integers(1, 30), max_size=60), st.sampled_from([b"", b"to read\r\n"])
)
def test_however_a_body_is_cut_its_parts_are_the_same(wanted: list[bytes], sizes: list[int], preamble: bytes) -> None:
    assert read(cut(body_of(wanted, preamble, b"after"), sizes)) == wanted


@given(st.lists(contents, min_size=1, max_size=3), st.data())
def test_a_body_that_ends_early_is_told(wanted: list[bytes], data: st.DataObject) -> None:
    body = body_of(wanted)
    length = data.draw(st.integers(0, len(body) - 5))
    with pytest.raises(PacsError) as told:
        read(cut(body[:length], []))
    assert told.value.trouble is Trouble.CUT_OFF


@given(st.binary(max_size=300))
def test_no_bytes_break_it_otherwise(body: bytes) -> None:
    with suppress(PacsError):
        assert all(part in body for part in read([b"--" + BOUNDARY + body]))


def test_a_part_that_is_left_is_skipped() -> None:
    assert [next(part) for part in parts([body_of([b"a" * 99, b"b" * 99])], BOUNDARY)] == [b"a" * 99, b"b" * 99]


def test_a_part_comes_in_pieces_and_is_never_held() -> None:
    pieces = [body_of([b"x" * 1000])[i : i + 100] for i in range(0, 1200, 100)]
    (part,) = (list(part) for part in parts(pieces, BOUNDARY))
    assert max(map(len, part)) <= 100 + len(BOUNDARY) + 4


def test_headers_without_end_are_refused() -> None:
    endless = [b"--" + BOUNDARY + b"\r\n", *([b"X: y\r\n" * 100] * (LONGEST_HEADERS // 500))]
    with pytest.raises(PacsError, match="headers"):
        read(endless)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary=abc', b"abc"),
        ('Multipart/Related;boundary="a b"', b"a b"),
    ],
)
def test_the_boundary_is_read(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "multipart/related",
        "multipart/form-data; boundary=x",
        "multipart/related; boundary=" + "x" * 71,
    ],
)
def test_another_answer_is_no_dicomweb(content_type: str) -> None:
    with pytest.raises(PacsError) as told:
        boundary_of(content_type)
    assert told.value.trouble is Trouble.NOT_DICOMWEB
