import hashlib
import io
import stat
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.bundle import BadBundle, BundleLimits, inspect, pack, unpacked
from trust_node.training.bundle import unpack

GOOD = {"trainer.py": b"import torch\nprint(torch.ones(1))\n", "nets/unet.py": b"WIDTH = 3\n"}


def zipped(name: str, *, mode: int = 0, content: bytes = b"x") -> bytes:
    """Return a zip whose one further entry is anything a hostile author may write."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("trainer.py", b"")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
    return packed.getvalue()


def refusal(content: bytes, limits: BundleLimits | None = None) -> str:
    with pytest.raises(BadBundle) as caught:
        inspect(content, limits or BundleLimits())
    return caught.value.code


def test_a_good_bundle_is_described_and_has_no_findings():
    content = pack(GOOD)
    report = inspect(content)
    assert report.entry_point == "trainer.py"
    assert report.files == ("nets/unet.py", "trainer.py")
    assert report.findings == ()
    assert report.sha256 == hashlib.sha256(content).hexdigest()


def test_equal_files_pack_to_equal_bytes():
    assert pack(GOOD) == pack(dict(reversed(GOOD.items())))


def test_the_description_may_name_another_entry_point():
    files = {"bundle.json": b'{"entry_point": "nets/train.py"}', "nets/train.py": b""}
    assert inspect(pack(files)).entry_point == "nets/train.py"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"other.py": b""}, "no_entry_point"),
        ({"trainer.py": b"", "bundle.json": b'{"entry_point": "../x.py"}'}, "no_entry_point"),
        ({"trainer.py": b"", "bundle.json": b'{"entry_point": 7}'}, "no_entry_point"),
        ({"trainer.py": b"", "bundle.json": b"[1]"}, "bad_description"),
        ({"trainer.py": b"", "bundle.json": b"not json"}, "bad_description"),
        ({"trainer.py": b"", "a": b"", "a/b": b""}, "bad_path"),
        ({f"f{number}.txt": b"" for number in range(2001)}, "too_many_files"),
    ],
)
def test_what_can_not_be_started_is_refused(files, code):
    assert refusal(pack(files)) == code


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "a/../../b", "a\\..\\b", "a//b", "./a", "new\nline"])
def test_a_path_that_leaves_the_folder_is_refused(name):
    assert refusal(zipped(name)) == "bad_path"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(kind):
    assert refusal(zipped("link", mode=kind | 0o777, content=b"/etc/shadow")) == "not_a_file"


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused():
    bomb = pack({"trainer.py": b"", "zeros": bytes(10**6)})
    assert len(bomb) < 10_000
    assert refusal(bomb, BundleLimits(unpacked=10**6 - 1)) == "too_large"


def test_a_zip_larger_than_the_limit_is_refused_unread():
    assert refusal(b"not even a zip", BundleLimits(packed=3)) == "too_large"


@given(st.binary(max_size=400))
def test_garbage_is_refused_with_a_code(garbage):
    assert refusal(garbage) == "bad_zip"


@given(st.data())
def test_a_damaged_zip_is_refused_or_read_but_never_a_crash(data):
    content = bytearray(pack(GOOD))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    with suppress(BadBundle):
        assert inspect(bytes(content)).sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("import socket", "network"),
        ("import os, urllib.request", "network"),
        ("from http import client", "network"),
        ("import pip", "installs"),
        ("from subprocess import run", "process"),
        ("os.system('ls')", "process"),
        ("os.execv('/bin/sh', [])", "process"),
        ("import ctypes", "native"),
        ("def (", "unreadable"),
        ("x = '\0'", "unreadable"),
    ],
)
def test_what_can_not_run_in_the_sandbox_is_found_by_file_and_line(line, code):
    report = inspect(pack({"trainer.py": b"", "nets/bad.py": b"x = 1\n" + line.encode()}))
    (finding,) = report.findings
    assert (finding.file, finding.code) == ("nets/bad.py", code)
    assert finding.line == 2 or code == "unreadable"
    assert finding.remedy in str(finding)


def test_what_only_looks_dangerous_is_left_alone():
    code = b"from .socket import x\nimport os\nos.path.join('a')\nimport httpx_like_name\nmodel.system()\n"
    assert inspect(pack({"trainer.py": code})).findings == ()


def test_code_nested_too_deeply_for_the_parser_is_a_finding():
    report = inspect(pack({"trainer.py": b"(" * 100_000}))
    assert [finding.code for finding in report.findings] == ["unreadable"]


def test_unpacking_writes_what_was_packed(tmp_path):
    content = pack(GOOD)
    assert dict(unpacked(content)) == GOOD
    unpack(content, inspect(content).sha256, tmp_path)
    assert {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*.py")} == GOOD


def test_a_bundle_other_than_the_approved_one_is_not_unpacked(tmp_path):
    with pytest.raises(BadBundle) as caught:
        unpack(pack(GOOD), "0" * 64, tmp_path)
    assert caught.value.code == "not_approved"
    assert list(tmp_path.iterdir()) == []
