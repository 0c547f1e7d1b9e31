"""A real PACS asked in all three ways: the same studies, the same bytes in the spool."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from infra.parts.orthanc import USER, Orthanc
from infra.parts.part import free_port, running, start, stop, wait_or_die
from tests.integration.eventually import until
from trust_node.imaging import sending
from trust_node.imaging.pacs import InvalidAccessionError, PacsError, StudyHit, Trouble
from trust_node.imaging.pacs.get import ByGet
from trust_node.imaging.pacs.move import ByMove
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.site import WebSite
from trust_node.imaging.pacs.web import ByWeb
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.spool import Spool

pytestmark = pytest.mark.integration

WAYS = ("move", "get", "web")
# An uncompressed slice, JPEG, JPEG 2000, RLE, big endian and implicit ones: what comes must be what was sent.
KINDS = ("MR_small.dcm", "JPEG-lossy.dcm", "JPEG2000.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "rtplan.dcm")


@dataclass(frozen=True)
class Planted:
    accession: str
    study_uid: str
    files: list[Path]


def plant(folder: Path, accession: str, kinds: tuple[str, ...] = ("MR_small.dcm",) * 3, **changes: Any) -> Planted:
    study, files = generate_uid(), []
    for kind in kinds:
        image = pydicom.dcmread(get_testdata_file(kind))
        image.StudyInstanceUID, image.SeriesInstanceUID = study, generate_uid()
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.PatientID, image.AccessionNumber, image.StudyDate = "PAT-1", accession, "20200305"
        image.pop("DataSetTrailingPadding", None)  # DCMTK leaves it out
        for keyword, value in changes.items():
            setattr(image, keyword, value)
        files.append(folder / f"{image.SOPInstanceUID}.dcm")
        image.save_as(files[-1])
    return Planted(accession, study, files)


def store(orthanc: Orthanc, planted: Planted) -> Planted:
    scanner = sending.Peer("127.0.0.1", orthanc.dicom_port, orthanc.title, "SCANNER")
    assert all(sent.is_stored for sent in sending.send_files(scanner, planted.files))
    return planted


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("orthanc-web")
    ports = (free_port(), free_port(), free_port())
    with running(Orthanc(folder, *ports, password=secrets.token_hex(8), dicomweb=True)) as part:
        yield part


@pytest.fixture
def receiver(orthanc: Orthanc, tmp_path: Path) -> Iterator[Receiver]:
    spool = Spool(tmp_path / "spool")
    with Receiver(spool, orthanc.receiver_title, "127.0.0.1", orthanc.receiver_port, (orthanc.title,)) as started:
        yield started


def peer_of(orthanc: Orthanc) -> Peer:
    return Peer("127.0.0.1", orthanc.dicom_port, orthanc.title, orthanc.receiver_title, timeout_s=20)


def login(orthanc: Orthanc) -> str:
    return "Basic " + base64.b64encode(f"{USER}:{orthanc.password}".encode()).decode()


@pytest.fixture
def ways(orthanc: Orthanc, receiver: Receiver) -> dict[str, Any]:
    return ways_to(orthanc, receiver.spool)


def ways_to(orthanc: Orthanc, spool: Spool) -> dict[str, Any]:
    peer = peer_of(orthanc)
    return {
        "move": ByMove(peer, spool, orthanc.receiver_title, stall_s=20),
        "get": ByGet(peer, spool, stall_s=20),
        "web": ByWeb(WebSite(orthanc.dicomweb_url, login(orthanc)), spool, stall_s=20),
    }


def data_sets(files: list[Path]) -> dict[str, pydicom.FileDataset]:
    return {str(image.SOPInstanceUID): image for image in map(pydicom.dcmread, files)}


@pytest.mark.parametrize("way", WAYS)
async def test_a_study_comes_whole_and_unchanged(way: str, orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    planted = store(orthanc, plant(tmp_path, f"WHOLE-{way}", KINDS))

    hits = await ways[way].find_studies(planted.accession)
    outcome = await ways[way].retrieve(hits[0])

    assert [(hit.study_uid, hit.instances) for hit in hits] == [(planted.study_uid, len(KINDS))]
    assert (outcome.completed, outcome.failed, outcome.status, outcome.refused) == (len(KINDS), 0, 0, False)
    sent, come = data_sets(planted.files), data_sets(ways[way].spool.files(planted.study_uid))
    assert come == sent
    assert {uid: image.file_meta.TransferSyntaxUID for uid, image in come.items()} == {
        uid: image.file_meta.TransferSyntaxUID for uid, image in sent.items()
    }


async def test_the_three_ways_bring_the_same_bytes(orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    planted = store(orthanc, plant(tmp_path, "SAME-BYTES", KINDS))
    brought = []
    for way in WAYS:
        await ways[way].retrieve((await ways[way].find_studies(planted.accession))[0])
        spool: Spool = ways[way].spool
        brought.append({file.name: encoded(file) for file in spool.files(planted.study_uid)})
        spool.discard(planted.study_uid)
    assert len(brought[0]) == len(KINDS)
    assert brought[0] == brought[1] == brought[2]


def encoded(file: Path) -> bytes:
    """The data set's bytes: file meta information names who wrote the file, and may differ."""
    with file.open("rb") as opened:
        pydicom.filereader.read_preamble(opened, force=False)
        pydicom.filereader._read_file_meta_info(opened)
        return opened.read()


@pytest.mark.parametrize("way", WAYS)
async def test_what_a_hit_tells(way: str, orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    planted = store(orthanc, plant(tmp_path, f"TOLD-{way}", ("MR_small.dcm", "CT_small.dcm"), StudyTime="101112"))
    (hit,) = await ways[way].find_studies(planted.accession)
    assert (hit.date, hit.time, hit.series, set(hit.modalities)) == ("20200305", "101112", 2, {"MR", "CT"})
    assert planted.study_uid not in repr(hit)
    assert "2020" not in repr(hit)


@pytest.mark.parametrize("way", WAYS)
async def test_all_studies_of_an_accession_are_listed(way: str, orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    planted = [store(orthanc, plant(tmp_path, f"TWICE-{way}")) for _ in range(2)]
    hits = await ways[way].find_studies(f"TWICE-{way}")
    assert {hit.study_uid for hit in hits} == {each.study_uid for each in planted}


@pytest.mark.parametrize("way", WAYS)
async def test_the_accession_numbers_of_a_day_are_listed(way: str, orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    for accession in (f"D1-{way}", f"D2-{way}"):
        store(orthanc, plant(tmp_path, accession, ("MR_small.dcm",), StudyDate="20190607"))
    store(orthanc, plant(tmp_path, f"D3-{way}", ("MR_small.dcm",), StudyDate="20190608"))
    listed = await ways[way].accessions_on("20190607")
    assert {f"D1-{way}", f"D2-{way}"} <= set(listed)
    assert f"D3-{way}" not in listed


@pytest.mark.parametrize("way", WAYS)
async def test_an_accession_is_matched_with_its_case(way: str, orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    store(orthanc, plant(tmp_path, f"Case-{way}"))
    assert await ways[way].find_studies(f"CASE-{way}") == []
    assert await ways[way].find_studies(f"Case-{way}1") == []
    assert len(await ways[way].find_studies(f"Case-{way}")) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_the_pacs_is_there(way: str, ways: Any) -> None:
    assert await ways[way].echo() is None


@pytest.mark.parametrize("vague", ["", " ", "*", "ACC*", "A?C", "A\\B", " ACC", "ACC ", "A" * 17, "A\nB"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_vague_accession_reaches_no_pacs(way: str, vague: str, tmp_path: Path) -> None:
    nobody, spool = Peer("127.0.0.1", 1, "PACS", "TRUSTFLOW"), Spool(tmp_path)
    ways = {
        "move": ByMove(nobody, spool, "TRUSTFLOW"),
        "get": ByGet(nobody, spool),
        "web": ByWeb(WebSite("http://127.0.0.1:1"), spool),
    }
    with pytest.raises(InvalidAccessionError):
        await ways[way].find_studies(vague)


async def test_a_destination_that_the_pacs_does_not_know_is_named(orthanc: Orthanc, ways: Any, tmp_path: Path) -> None:
    planted = store(orthanc, plant(tmp_path, "NOWHERE"))
    moving = replace(ways["move"], destination="NOBODY")
    outcome = await moving.retrieve(StudyHit(planted.study_uid, 3))
    assert outcome.refused
    assert outcome.trouble in {Trouble.DESTINATION_UNKNOWN, Trouble.REFUSED}  # Orthanc gives no more than 0xC000


async def test_a_wrong_password_is_named(orthanc: Orthanc, tmp_path: Path) -> None:
    stranger = ByWeb(
        WebSite(orthanc.dicomweb_url, "Basic " + base64.b64encode(b"trustflow:wrong").decode()), Spool(tmp_path)
    )
    with pytest.raises(PacsError) as refused:
        await stranger.echo()
    assert refused.value.trouble is Trouble.LOGIN_REFUSED


async def test_a_wrong_address_is_named(orthanc: Orthanc, tmp_path: Path) -> None:
    elsewhere = ByWeb(WebSite(orthanc.url + "/not-there", login(orthanc)), Spool(tmp_path))
    with pytest.raises(PacsError) as refused:
        await elsewhere.echo()
    assert refused.value.trouble is Trouble.NOT_DICOMWEB


async def test_a_wrong_title_is_named(orthanc: Orthanc) -> None:
    wrong = replace(peer_of(orthanc), title="ELSEWHERE")
    with pytest.raises(PacsError) as refused:
        await ByGet(wrong, Spool(Path("unused"))).echo()
    assert refused.value.trouble is Trouble.THEIR_TITLE_WRONG


@pytest.mark.parametrize("way", WAYS)
async def test_a_pacs_that_is_killed_half_way_is_told_and_the_study_comes_whole_later(way: str, tmp_path: Path) -> None:
    large = {"Rows": 300, "Columns": 300, "PixelData": bytes(180_000)}
    ports = (free_port(), free_port(), free_port())
    doomed = Orthanc(tmp_path / "doomed", *ports, password=secrets.token_hex(8), dicomweb=True)
    spool = Spool(tmp_path / "spool")
    with running(doomed):
        planted = store(doomed, plant(tmp_path, "KILLED", ("MR_small.dcm",) * 300, **large))
    doomed.prepare()
    process = start(doomed)
    wait_or_die(doomed, process)

    async def some_came() -> bool:
        return spool.count(planted.study_uid) >= 3

    with Receiver(spool, doomed.receiver_title, "127.0.0.1", doomed.receiver_port, (doomed.title,)):
        asked = ways_to(doomed, spool)[way]
        coming = asyncio.ensure_future(asked.retrieve(StudyHit(planted.study_uid, 300)))
        await until(some_came)
        stop(process, Signals.SIGKILL)
        with pytest.raises(PacsError) as told:
            await coming
        assert told.value.trouble is Trouble.CUT_OFF
        assert told.value.temporary
        assert spool.count(planted.study_uid) < 300
        with running(doomed):
            outcome = await asked.retrieve(StudyHit(planted.study_uid, 300))
        assert (outcome.completed, spool.count(planted.study_uid)) == (300, 300)
