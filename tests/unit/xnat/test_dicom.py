"""How the series of a study become scans."""

import io
import tarfile
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from infra.xnat.archive import Arrival
from infra.xnat.dicom import Instance, read_packed, scan_ids, scan_type, session_type
from infra.xnat.limits import Limits
from infra.xnat.ordering import wish_of
from infra.xnat.refusal import Refusal

MR = Path(get_testdata_file("MR_small.dcm")).read_bytes()
CT = Path(get_testdata_file("CT_small.dcm")).read_bytes()


def instance(series, number, modality="MR"):
    return Instance(Arrival(None, 0, "", 0), f"{series}.1", "study", "20200102", series, number, "", modality)


def zipped(folder, **files):
    packed = folder / "study.zip"
    with zipfile.ZipFile(packed, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return packed


def read_zip(packed, folder, **limits):
    return read_packed(packed, folder, Limits(**limits))


series_lists = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2", "-3", "a/b"])),
    min_size=1,
    unique_by=lambda s: s[0],
)


@given(series_lists, st.randoms())
def test_every_series_has_a_scan_of_its_own_whatever_the_order(series, random):
    instances = [instance(*one) for one in series]
    chosen = scan_ids(instances, {})
    random.shuffle(instances)
    assert scan_ids(instances, {}) == chosen
    assert len(set(chosen.values())) == len(series)


@given(series_lists)
def test_series_that_are_present_keep_their_scan(series):
    instances = [instance(*one) for one in series]
    first = scan_ids(instances[:1], {})
    assert scan_ids(instances, first).items() >= first.items()


def test_a_second_series_of_the_same_number_is_told_apart():
    assert scan_ids([instance("a", "4"), instance("b", "4")], {}) == {"a": "4", "b": "4-MR1"}


def test_the_leading_modality_names_the_session():
    assert session_type(["CT", "CT", "PT"]) == "xnat:petSessionData"
    assert session_type(["SR", "MR"]) == "xnat:mrSessionData"
    assert session_type(["SEG"]) == "xnat:otherDicomSessionData"
    assert scan_type("CT") == "xnat:ctScanData"


def test_a_zip_is_read_into_instances(tmp_path):
    (tmp_path / "to").mkdir()
    packed = zipped(tmp_path, **{"below/one.dcm": MR})
    (read,) = read_zip(packed, tmp_path / "to")
    assert (read.modality, read.number, read.date) == ("MR", "1", "20040826")
    assert read.file_name == f"{read.uid}.dcm"
    assert read.arrival.location == tmp_path / "to" / "0"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "no files"),
        ({"../../evil.dcm": MR}, "path"),
        ({"/evil.dcm": MR}, "path"),
        ({"a.txt": b"hello"}, "not DICOM"),
        ({"a": b"\0" * 128 + b"DICM" + b"\xff" * 99}, "DICOM"),
    ],
)
def test_a_zip_of_other_things_is_refused(tmp_path, files, sentence):
    (tmp_path / "to").mkdir()
    with pytest.raises(Refusal, match=sentence):
        read_zip(zipped(tmp_path, **files), tmp_path / "to")


def test_two_studies_in_one_zip_are_refused(tmp_path):
    (tmp_path / "to").mkdir()
    with pytest.raises(Refusal, match="one zip per study"):
        read_zip(zipped(tmp_path, mr=MR, ct=CT), tmp_path / "to")


@settings(max_examples=50)
@given(st.data())
def test_a_damaged_zip_is_refused_or_read(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "to").mkdir()
    packed = zipped(folder, mr=MR)
    content = bytearray(packed.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(1, 64))] = data.draw(st.binary(max_size=64))
    packed.write_bytes(content)
    with suppress(Refusal):
        assert len(read_zip(packed, folder / "to")) == 1


def test_a_tar_is_read_as_well(tmp_path):
    (tmp_path / "to").mkdir()
    (tmp_path / "one.dcm").write_bytes(MR)
    with tarfile.open(tmp_path / "study.tar.gz", "w:gz") as target:
        target.add(tmp_path / "one.dcm", "below/one.dcm")
    (read,) = read_zip(tmp_path / "study.tar.gz", tmp_path / "to")
    assert read.modality == "MR"


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path):
    (tmp_path / "to").mkdir()
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("zeros", bytes(50_000_000))
    with pytest.raises(Refusal, match="too much larger") as refused:
        read_zip(packed, tmp_path / "to", grown_freely=1_000_000)
    assert refused.value.status == 413
    assert sum(file.stat().st_size for file in (tmp_path / "to").iterdir()) <= 6_000_000


def test_a_bomb_that_is_a_tar_is_refused(tmp_path):
    (tmp_path / "to").mkdir()
    packed = tmp_path / "bomb.tar.gz"
    with tarfile.open(packed, "w:gz") as target:
        member = tarfile.TarInfo("link")
        member.type, member.size = tarfile.CONTTYPE, 50_000_000
        target.addfile(member, io.BytesIO(bytes(50_000_000)))
    with pytest.raises(Refusal, match="too much larger"):
        read_zip(packed, tmp_path / "to", grown_freely=1_000_000)


def test_too_many_files_are_refused_by_the_table_of_contents_alone(tmp_path):
    packed = zipped(tmp_path, **{str(number): b"" for number in range(3_000)})
    with pytest.raises(Refusal, match="more files"):
        read_zip(packed, tmp_path, members=100)


def test_a_wish_may_come_as_a_destination_or_as_parameters():
    spelled = {"project": "P", "subject": "S", "session": "E", "dest": "/archive"}
    gradual = {"PROJECT_ID": "P", "SUBJECT_ID": "S", "EXPT_LABEL": "E", "dest": "/archive"}
    by_path = wish_of({"dest": "/archive/projects/P/subjects/S/experiments/E"})
    assert wish_of(spelled) == wish_of(gradual) == by_path


def test_the_images_themselves_may_say_where_they_belong():
    told = replace(instance("a", "1"), comments="Project:P, Subject: S Session:E")
    order = wish_of({"session": "other"}).order(told)
    assert (order.project, order.subject, order.session) == ("P", "S", "other")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"session": ""}, "session"),
        ({"subject": "a/../b"}, "subject"),
        ({"overwrite": "yes"}, "overwrite"),
        ({"dest": "/elsewhere"}, "dest"),
        ({"import-handler": "XAR"}, "XAR"),
    ],
)
def test_an_incomplete_wish_is_refused_by_name(changed, sentence):
    with pytest.raises(Refusal, match=sentence):
        wish_of({"project": "P", "subject": "S", "session": "E"} | changed).order(instance("a", "1"))
