"""Zips are those that any reader opens, whatever they hold, and their length is known beforehand."""

import io
import subprocess
import zipfile
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.xnat import zipping
from infra.xnat.zipping import Entry, stream_zip, zip_size


def entry(folder, name, content, modified_ns=1_700_000_000_000_000_000):
    location = folder / f"{crc32(name.encode())}"
    location.write_bytes(content)
    return Entry(name.encode(), location, len(content), crc32(content), modified_ns)


def whole(entries):
    return b"".join(stream_zip(entries))


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=30)


@settings(max_examples=50)
@given(st.dictionaries(names, st.binary(max_size=300), max_size=6))
def test_every_file_comes_out_as_it_went_in(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("zip")
    entries = [entry(folder, name, content) for name, content in files.items()]
    packed = whole(entries)
    assert len(packed) == zip_size(entries)
    with zipfile.ZipFile(io.BytesIO(packed)) as zipped:
        assert zipped.testzip() is None
        assert {info.filename: zipped.read(info) for info in zipped.infolist()} == files


@pytest.mark.parametrize("largest", [0, 5, 40, 500])
def test_what_does_not_fit_is_told_by_zip64(tmp_path, monkeypatch, largest):
    monkeypatch.setattr(zipping, "_LARGEST", largest)
    entries = [entry(tmp_path, str(number), bytes(number * 10)) for number in range(10)]
    packed = whole(entries)
    assert len(packed) == zip_size(entries)
    with zipfile.ZipFile(io.BytesIO(packed)) as zipped:
        assert [(each.filename, each.file_size) for each in zipped.infolist()] == [(str(n), n * 10) for n in range(10)]
        assert zipped.testzip() is None


def test_more_files_than_an_old_zip_can_count(tmp_path):
    one = entry(tmp_path, "f", b"")
    entries = [Entry(b"%d" % number, one.location, 0, 0, 0) for number in range(70_000)]
    packed = whole(entries)
    with zipfile.ZipFile(io.BytesIO(packed)) as zipped:
        assert len(zipped.namelist()) == 70_000


def test_a_reader_in_another_language_agrees(tmp_path):
    entries = [entry(tmp_path, "visit/scans/1-T1/files/é.dcm", b"x" * 5_000), entry(tmp_path, "empty", b"", 0)]
    (tmp_path / "z.zip").write_bytes(whole(entries))
    told = subprocess.run(["jar", "tf", tmp_path / "z.zip"], capture_output=True, text=True, check=True).stdout
    assert sorted(told.split()) == ["empty", "visit/scans/1-T1/files/é.dcm"]


def test_a_file_that_changed_breaks_the_zip_off(tmp_path):
    one = entry(tmp_path, "f", b"content")
    for other in (b"longer content", b"short"):
        one.location.write_bytes(other)
        with pytest.raises(OSError, match="changed"):
            whole([one])


def test_pieces_stay_small_however_large_the_files(tmp_path):
    entries = [entry(tmp_path, "large", bytes(5_000_000)), *(entry(tmp_path, str(n), b"x") for n in range(50))]
    assert max(map(len, stream_zip(entries))) < 3 << 20
