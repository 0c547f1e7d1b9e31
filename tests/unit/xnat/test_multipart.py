"""A multipart body gives back the very bytes of its first part, however it was cut on the way."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.xnat.multipart import boundary, first_part
from infra.xnat.refusal import Refusal

BORDER = b"--border"
HEADER = b'--border\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
# Content that is rich in near misses of the border.
contents = st.lists(st.sampled_from([b"\r\n--borde", b"\r", b"\n", b"--", b"abc", b"\r\n--", b"\0"])).map(b"".join)


def read(pieces):
    async def run():
        async def body():
            for piece in pieces:
                yield piece

        return b"".join([piece async for piece in first_part(body(), BORDER)])

    return asyncio.run(run())


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(contents.filter(lambda c: not c.endswith(b"\r\n--borde")), st.integers(1, 90))
def test_the_first_part_comes_out_as_it_went_in(content, size):
    whole = HEADER + content + b"\r\n--border--\r\n"
    assert read(cut(whole, size)) == content


@given(contents, st.integers(1, 90))
def test_a_body_that_ends_too_early_is_refused(content, size):
    with pytest.raises(Refusal) as refused:
        read(cut(HEADER + content, size))
    assert refused.value.status == 400


def test_a_body_without_its_border_is_refused_before_all_of_it_is_read():
    with pytest.raises(Refusal, match="16 KiB"):
        read([b"x" * 20_000, b"never read"])


def test_the_border_is_read_from_the_content_type():
    assert boundary('multipart/form-data; boundary="a b"') == b"--a b"
    assert boundary("application/zip") is None
    with pytest.raises(Refusal):
        boundary("multipart/form-data")
