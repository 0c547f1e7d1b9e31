import os
import shutil
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.spool import Spool
from trust_node.imaging.zipping import unzip_flat, zip_files


def broken_pieces():
    yield b"half of"
    raise OSError("connection lost")


def test_an_instance_sent_twice_counts_once_and_the_last_one_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write("1.2", "1.2.3", [b"first"])
    spool.write("1.2", "1.2.3", [b"sec", b"ond"])
    assert [file.read_bytes() for file in spool.files("1.2")] == [b"second"]


def test_what_breaks_off_while_it_is_written_is_not_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(OSError, match="lost"):
        spool.write("1.2", "1.2.3", broken_pieces())
    assert spool.count("1.2") == 0


def test_counts_come_from_disk_and_hold_after_a_restart(tmp_path: Path) -> None:
    for number in range(4):
        Spool(tmp_path).write("1.2", f"1.2.{number}", [b"x"])
    Spool(tmp_path).write("1.9", "1.9.1", [b"x"])
    assert (Spool(tmp_path).count("1.2"), Spool(tmp_path).count("1.9"), Spool(tmp_path).count("7")) == (4, 1, 0)


def test_paths_do_not_tell_uids(tmp_path: Path) -> None:
    path = Spool(tmp_path).write("1.2.840.77", "1.2.840.78", [b"x"])
    assert "1.2.840" not in str(path.relative_to(tmp_path))


def test_what_nobody_came_for_goes_after_its_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write("1.2.3", "1.2.3.1", [b"old"])
    os.utime(spool.folder("1.2.3"), (0, 0))
    spool.write("1.2.4", "1.2.4.1", [b"new"])
    assert spool.drop_unclaimed(3600) == 1
    assert (spool.count("1.2.3"), spool.count("1.2.4")) == (0, 1)


@given(st.lists(st.binary(max_size=64), min_size=1, max_size=5))
def test_a_zip_gives_back_what_went_in(contents: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{number}.dcm" for number in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
        archive = zip_files(files, folder / "a.zip")
        assert {info.compress_type for info in ZipFile(archive).infolist()} == {ZIP_STORED}
        assert unzip_flat(archive, folder / "out") == len(contents)
        assert [file.read_bytes() for file in sorted((folder / "out").iterdir())] == contents


def test_a_zip_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../evil.dcm", b"x")
    unzip_flat(tmp_path / "evil.zip", tmp_path / "in")
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["000000.dcm"]
    assert not (tmp_path / "evil.dcm").exists()


def test_a_part_is_seen_only_once_it_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    part = spool.begin()
    part.write(b"whole")
    assert spool.count("1.2") == 0
    kept = Path(part.keep("1.2", "1.2.3"))
    part.drop()
    part.drop()
    assert (kept.read_bytes(), spool.files("1.2")) == (b"whole", [kept])


def test_a_dropped_part_is_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    part = spool.begin()
    part.write(b"half of")
    part.drop()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_study_discarded_while_an_image_arrives_is_begun_anew(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write("1.2", "1.2.1", [b"x"])
    part = spool.begin()
    spool.discard("1.2")
    part.keep("1.2", "1.2.2")
    part.drop()
    assert spool.count("1.2") == 1


def test_a_sweep_takes_what_nobody_writes_any_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    part = spool.begin()
    (tmp_path / "receiving" / "left.part").write_bytes(b"half of")
    assert (spool.sweep(), spool.sweep()) == (1, 0)
    part.write(b"whole")
    assert Path(part.keep("1.2", "1.2.3")).read_bytes() == b"whole"
    part.drop()


def test_free_bytes_are_those_of_the_disk(tmp_path: Path) -> None:
    assert 0 < Spool(tmp_path).free_bytes() <= shutil.disk_usage(tmp_path).total
