"""A study's files reach the archive once, however often they are sent."""

import hashlib
from pathlib import Path

import pydicom
import pytest
from aiohttp import web
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from tests.unit.imaging.xnat.odd import rows, xnat_that
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError
from trust_node.imaging.xnat.sending import Destination, _Image, scan_ids, send_study

TO = Destination("p", "P1", "S1")
ARCHIVED = "/data/archive/projects/p/subjects/P1/experiments/S1\r\n"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    series, made = generate_uid(), []
    for number in range(3):
        image = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        image.SeriesInstanceUID, image.SOPInstanceUID = series, generate_uid()
        image.SeriesNumber, image.InstanceNumber = 4, number
        made.append(tmp_path / f"{number}.dcm")
        image.save_as(made[-1])
    return made


class Archive:
    """Keeps files by MD5, as a zip or one by one; `broken` answers are lost after the deed."""

    def __init__(self, *, zips: int = 200, broken: int = 0) -> None:
        self.zips, self.broken = zips, broken
        self.files: dict[str, str] = {}
        self.log: list[str] = []

    async def answers(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self.log.append(f"{request.method} {request.path}")
        if request.method == "GET":
            return rows(*(self._row(name, digest) for name, digest in self.files.items()))
        if request.path == "/data/services/import":
            if self.zips != 200:
                return web.Response(status=self.zips)
            self.files |= unzipped(content)
        elif "/files/" in request.path:
            self.files[request.path.rsplit("/", 1)[-1]] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if self.broken:
            self.broken -= 1
            return web.Response(status=502)
        return web.Response(text=ARCHIVED)

    def _row(self, name: str, digest: str) -> dict[str, str]:
        uri = f"/data/experiments/E/scans/4/resources/1/files/{name}"
        return {"collection": "DICOM", "Name": name, "Size": "1", "URI": uri, "digest": digest}


def unzipped(content: bytes) -> dict[str, str]:
    from io import BytesIO
    from zipfile import ZIP_STORED, ZipFile

    with ZipFile(BytesIO(content)) as archive:
        assert all(member.compress_type == ZIP_STORED for member in archive.infolist())
        return {name: hashlib.md5(archive.read(name), usedforsecurity=False).hexdigest() for name in archive.namelist()}


async def test_a_study_goes_as_one_stored_zip_and_a_second_time_not_at_all(files: list[Path], tmp_path: Path) -> None:
    archive = Archive()
    async with xnat_that(archive.answers) as client:
        first = await send_study(client, TO, files, tmp_path)
        again = await send_study(client, TO, files, tmp_path)
    assert (first.sent, first.already, first.by) == (3, 0, "zip")
    assert (again.sent, again.already, again.by) == (0, 3, "nothing")
    assert archive.log.count("POST /data/services/import") == 1
    assert not (tmp_path / "dicom.zip").exists()


async def test_only_what_is_missing_is_sent(files: list[Path], tmp_path: Path) -> None:
    archive = Archive()
    async with xnat_that(archive.answers) as client:
        await send_study(client, TO, files[:2], tmp_path)
        later = await send_study(client, TO, files, tmp_path)
    assert (later.sent, later.already) == (1, 2)
    assert len(archive.files) == 3


@pytest.mark.parametrize("zips", [200, 501])
async def test_an_answer_that_is_lost_doubles_nothing(zips: int, files: list[Path], tmp_path: Path) -> None:
    archive = Archive(zips=zips, broken=3)
    async with xnat_that(archive.answers) as client:
        await send_study(client, TO, files, tmp_path)
    assert len(archive.files) == 3


@pytest.mark.parametrize("status", [404, 405, 415, 501])
async def test_files_go_one_by_one_where_zips_are_refused(status: int, files: list[Path], tmp_path: Path) -> None:
    archive = Archive(zips=status)
    async with xnat_that(archive.answers) as client:
        sent = await send_study(client, TO, files, tmp_path)
        again = await send_study(client, TO, files, tmp_path)
    assert (sent.sent, sent.by, again.by) == (3, "files", "nothing")
    assert sorted(archive.files) == sorted(f"{pydicom.dcmread(file).SOPInstanceUID}.dcm" for file in files)
    made = [line for line in archive.log if line.startswith("PUT") and "/files/" not in line]
    session = "/data/projects/p/subjects/P1"
    scan = "/data/projects/p/experiments/S1/scans/4"
    assert made == [
        f"PUT {session}",
        f"PUT {session}/experiments/S1",
        f"PUT {scan}",
        f"PUT {scan}/resources/DICOM",
    ]


@pytest.mark.parametrize(
    ("status", "error"), [(400, XnatRefusedError), (409, XnatRefusedError), (500, XnatUnreachableError)]
)
async def test_a_refusal_for_another_reason_is_told_and_nothing_goes_another_way(
    status: int, error: type[Exception], files: list[Path], tmp_path: Path
) -> None:
    archive = Archive(zips=status)
    async with xnat_that(archive.answers) as client:
        with pytest.raises(error):
            await send_study(client, TO, files, tmp_path)
    assert not archive.files


def image(series: str, number: str, modality: str = "MR") -> _Image:
    return _Image(Path("x"), "1", series, number, "d", modality)


def test_series_of_one_number_are_told_apart_whatever_the_order() -> None:
    images = [image("1.2", "4"), image("1.1", "4"), image("1.2", "4"), image("1.3", "7", "SR"), image("1.4", "4")]
    expected = {"1.1": "4", "1.2": "4-MR1", "1.3": "7", "1.4": "4-MR2"}
    assert scan_ids(images) == scan_ids(images[::-1]) == expected
