import gzip
import zipfile
from io import BytesIO
from pathlib import Path

from tests.midi.canaries import canaries, found_below, found_in
from trust_node.imaging.deid import CleanFile, DeidKeys, clean_file


def test_two_hundred_distinct_values_are_planted_and_none_survives(tmp_path: Path) -> None:
    planted = canaries()
    assert len(planted.planted) >= 200
    (tmp_path / "clean").mkdir()
    for place, content in enumerate(planted.objects):
        (tmp_path / f"{place}.dcm").write_bytes(content)
        assert isinstance(clean_file(tmp_path / f"{place}.dcm", tmp_path / "clean", DeidKeys(bytes(32))), CleanFile)
    assert found_below(tmp_path / "clean") == {}
    assert frozenset().union(*found_below(tmp_path).values()) == planted.planted


def test_a_value_is_found_in_names_archives_and_other_encodings(tmp_path: Path) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", gzip.compress(b"of zqx12345 and others"))
    assert found_in(buffer.getvalue()) == {b"ZQX12345"}
    assert found_in("ZQX12345".encode("utf-16")) == {b"ZQX12345"}
    (tmp_path / "ZQX54321.dcm").write_bytes(b"nothing")
    assert set(found_below(tmp_path).values()) == {frozenset({b"ZQX54321"})}
    assert found_in(b"ZQX1234 and 1.2.826.0.1.3680043.8.498.99.123456") == frozenset()
