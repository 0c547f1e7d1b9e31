"""The node's client on a running archive: studies, conversion, people, subscriptions."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pydicom
import pytest
from aiosmtpd.controller import Controller
from pydicom.uid import generate_uid

from infra.parts.part import free_port
from infra.parts.xnat import ADMIN
from infra.parts.xnat import Xnat as XnatPart
from tests.unit.imaging.conversion.series_of import lay_out
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.conversion import ConversionError, Dcm2niix, ScanConverter, Slices
from trust_node.imaging.xnat import PrearchivedError, Xnat, XnatRefusedError
from trust_node.imaging.xnat.sending import Destination, send_study
from trust_node.imaging.xnat.subscriptions import NAME, NoConverterError, Subscriptions
from trust_node.people.mail import Mail
from trust_node.people.reconcile import Hindrance, reconcile

pytestmark = pytest.mark.integration

PEOPLE = {"ada": "ada@hospital.example", "bob": "bob@hospital.example"}


@pytest.fixture
async def archive(xnat: XnatPart) -> AsyncIterator[Xnat]:
    async with Xnat(xnat.url, ADMIN, xnat.password, backoff_s=0.01) as client:
        yield client


@pytest.fixture
async def project(archive: Xnat) -> str:
    return await archive.ensure_project(f"hub-{generate_uid()[-8:]}", "Client")


def study(folder: Path, *, gap: bool = False) -> list[Path]:
    """Scan 4 in six plain slices, scan 5 as dcm2niix's; with a ``gap`` scan 4 lacks a slice."""
    uid = generate_uid()

    def numbered(number: int, kind: str):
        def change(image: pydicom.FileDataset, _: int) -> None:
            image.StudyInstanceUID, image.SeriesNumber = uid, number
            image.ImageType = [kind, "PRIMARY"]

        return change

    folder.mkdir()
    for number, kind in ((4, "ORIGINAL"), (5, "DERIVED")):
        lay_out(folder / str(number), change=numbered(number, kind))
    if gap:
        (folder / "4" / "003.dcm").unlink()
    return [_renamed(file) for file in sorted(folder.glob("*/*.dcm"))]


def _renamed(file: Path) -> Path:
    return Path(shutil.move(file, file.with_name(f"{file.parent.name}-{file.name}")))


async def test_a_study_arrives_once_and_whole(archive: Xnat, project: str, tmp_path: Path) -> None:
    files, to = study(tmp_path / "study"), Destination(project, "P1", "S1")
    first = await send_study(archive, to, files[:7], tmp_path)
    rest = await send_study(archive, to, files, tmp_path)
    again = await send_study(archive, to, files, tmp_path)
    assert [(one.sent, one.already, one.by) for one in (first, rest, again)] == [
        (7, 0, "zip"), (5, 7, "zip"), (0, 12, "nothing"),
    ]  # fmt: skip
    assert await archive.session_counts(project, "S1") == {"DICOM": 12}
    assert sorted(await archive.list_scans(project, "S1")) == ["4", "5"]


async def test_the_same_study_goes_file_by_file_where_zips_are_refused(
    archive: Xnat, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> str:
        raise XnatRefusedError(501, "import")

    monkeypatch.setattr(Xnat, "import_session", refused)
    files, to = study(tmp_path / "study"), Destination(project, "P1", "S1")
    sent = await send_study(archive, to, files, tmp_path)
    again = await send_study(archive, to, files, tmp_path)
    assert (sent.sent, sent.by, again.by) == (12, "files", "nothing")
    assert await archive.session_counts(project, "S1") == {"DICOM": 12}
    assert sorted(await archive.list_scans(project, "S1")) == ["4", "5"]


async def test_another_study_under_the_same_label_is_a_conflict(archive: Xnat, project: str, tmp_path: Path) -> None:
    await send_study(archive, Destination(project, "P1", "S1"), study(tmp_path / "one"), tmp_path)
    with pytest.raises(XnatRefusedError) as refused:
        await send_study(archive, Destination(project, "P1", "S1"), study(tmp_path / "two"), tmp_path)
    assert refused.value.status == 409 or isinstance(refused.value, PrearchivedError)
    assert await archive.session_counts(project, "S1") == {"DICOM": 12}


async def test_both_ways_of_converting_leave_their_record(archive: Xnat, project: str, tmp_path: Path) -> None:
    await send_study(archive, Destination(project, "P1", "S1"), study(tmp_path / "study"), tmp_path)
    converter = ScanConverter(archive, Dcm2niix.pinned())
    assert await converter.convert_session(project, "S1", tmp_path / "work") == Slices(12, 12)
    records = [file for file in await archive.list_files(project, "S1") if file.name == "conversion.json"]
    told = {file.scan: json.loads(await archive.read_file(file.uri)) for file in records}
    assert told["4"]["converter"] == "trustflow 1"
    assert told["5"]["converter"].startswith("dcm2niix v1.0.20260724")
    assert {scan: (one["slices_in"], one["slices_out"]) for scan, one in told.items()} == {"4": (6, 6), "5": (6, 6)}
    assert isinstance(told["5"]["warnings"], list)


async def test_a_scan_with_a_gap_fails_by_name_and_the_others_are_converted(
    archive: Xnat, project: str, tmp_path: Path
) -> None:
    await send_study(archive, Destination(project, "P1", "S1"), study(tmp_path / "bad", gap=True), tmp_path)
    await send_study(archive, Destination(project, "P2", "S2"), study(tmp_path / "good"), tmp_path)
    converter = ScanConverter(archive, Dcm2niix.pinned())
    with pytest.raises(ConversionError) as failed:
        await converter.convert_session(project, "S1", tmp_path / "work")
    assert failed.value.code is FailureCode.SPACING_IRREGULAR
    converted = {file.scan for file in await archive.list_files(project, "S1") if file.resource == "NIFTI"}
    assert converted == {"5"}
    assert not (tmp_path / "work" / "scan-4").exists()


async def test_switched_on_later_what_is_missing_is_converted_and_failures_are_named(
    archive: Xnat, project: str, tmp_path: Path
) -> None:
    await send_study(archive, Destination(project, "P1", "S1"), study(tmp_path / "bad", gap=True), tmp_path)
    await send_study(archive, Destination(project, "P2", "S2"), study(tmp_path / "good"), tmp_path)
    converter = ScanConverter(archive, Dcm2niix.pinned())
    first = await converter.convert_missing(project, tmp_path / "work")
    assert (first.slices, first.failed) == (Slices(12, 12), {"S1": FailureCode.SPACING_IRREGULAR})
    before = {file.uri: file.digest for file in await archive.list_files(project, "S2")}
    again = await converter.convert_missing(project, tmp_path / "work")
    assert again == first
    assert {file.uri: file.digest for file in await archive.list_files(project, "S2")} == before


async def test_a_project_and_a_session_are_deleted_with_their_files(
    archive: Xnat, project: str, tmp_path: Path
) -> None:
    await send_study(archive, Destination(project, "P1", "S1"), study(tmp_path / "study"), tmp_path)
    await archive.delete_session(project, "S1")
    await archive.delete_session(project, "S1")
    assert await archive.list_files(project, "S1") == []
    await archive.delete_project(project)
    await archive.delete_project(project)


class Letters:
    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  the handler's name in aiosmtpd
        self.taken.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def sink() -> Iterator[Controller]:
    controller = Controller(Letters(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


async def test_a_member_enters_with_the_password_of_the_letter_and_leaves_again(
    archive: Xnat, project: str, sink: Controller, xnat: XnatPart
) -> None:
    mail = Mail("127.0.0.1", sink.port, "none", "trust@hospital.example")
    done = await reconcile(archive, project, ["ada", "eve"], PEOPLE, mail)
    assert (done.added, done.unknown) == (("ada",), {"eve": Hindrance.NO_ADDRESS})
    (letter,) = sink.handler.taken
    password = re.search(r"Password: (\S+)", letter)
    assert password is not None
    async with Xnat(xnat.url, "ada", password.group(1), attempts=1) as ada:
        assert await ada.list_sessions(project) == []
        assert (await reconcile(archive, project, ["ada"], PEOPLE, mail)).added == ()
        assert (await reconcile(archive, project, [], PEOPLE, mail)).removed == ("ada",)
        with pytest.raises(XnatRefusedError):
            await ada.list_sessions(project)
    assert len(sink.handler.taken) == 1
    stored = b"".join(path.read_bytes() for path in xnat.directory.rglob("*") if path.is_file())
    assert password.group(1).encode() not in stored


async def test_a_letter_that_does_not_leave_lets_nobody_in(archive: Xnat, project: str, sink: Controller) -> None:
    dead = Mail("127.0.0.1", 1, "none", "trust@hospital.example")
    assert (await reconcile(archive, project, ["bob"], PEOPLE, dead)).unknown == {"bob": Hindrance.MAIL_FAILED}
    alive = Mail("127.0.0.1", sink.port, "none", "trust@hospital.example")
    assert (await reconcile(archive, project, ["bob"], PEOPLE, alive)).added == ("bob",)
    assert len(sink.handler.taken) == 1


async def test_conversion_by_the_archive_is_switched_on_and_off(archive: Xnat, project: str) -> None:
    subscriptions = Subscriptions(archive, "xnat/dcm2niix:latest")

    async def ours() -> list[bool]:
        every = await archive.wire.document(f"/xapi/projects/{project}/events/subscriptions")
        return [each["active"] for each in every if each["name"] == NAME]

    await subscriptions.switch(project, on=False)
    assert await ours() == []
    for on in (True, True, False, False, True):
        await subscriptions.switch(project, on=on)
        assert await ours() == [on]


async def test_an_archive_without_the_command_says_what_it_lacks(archive: Xnat, project: str) -> None:
    with pytest.raises(NoConverterError, match="nobody/knows"):
        await Subscriptions(archive, "nobody/knows:1").switch(project, on=True)
