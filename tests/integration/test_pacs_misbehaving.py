"""A PACS that does what none should: each misbehaviour has its name, none hangs, crashes or keeps wrong images."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from pynetdicom.sop_class import Verification

from infra.parts.part import free_port
from tests.integration.eventually import until
from tests.integration.fake_pacs import FakePacs, Study
from trust_node.imaging.pacs import PacsError, StudyHit, Trouble
from trust_node.imaging.pacs import find as finding
from trust_node.imaging.pacs.get import ByGet
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.move import ByMove
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.spool import Spool

pytestmark = [
    pytest.mark.integration,
    # pynetdicom's own threads die of bytes that are no command; what waits for them is told in time
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

BOTH = ("move", "get")
US = "TRUSTFLOW"


@pytest.fixture
def study() -> Study:
    return Study("ACC-1", images=4)


@pytest.fixture
def pacs(study: Study) -> Iterator[FakePacs]:
    with FakePacs([study]).running() as running:
        yield running


@pytest.fixture
def receiver(pacs: FakePacs, tmp_path: Path) -> Iterator[Receiver]:
    pacs.destination = (US, free_port())
    with Receiver(Spool(tmp_path / "spool"), US, "127.0.0.1", pacs.destination[1], (pacs.title,)) as started:
        yield started


@pytest.fixture
def ways(pacs: FakePacs, receiver: Receiver) -> dict[str, Any]:
    peer = Peer("127.0.0.1", pacs.port, pacs.title, US, timeout_s=5)
    return {"move": ByMove(peer, receiver.spool, US, stall_s=3), "get": ByGet(peer, receiver.spool, stall_s=3)}


def hit(study: Study) -> StudyHit:
    return StudyHit(study.study_uid, study.images)


async def trouble(work: Any) -> Trouble:
    with pytest.raises(PacsError) as raised:
        await work
    return raised.value.trouble


@pytest.mark.parametrize("way", BOTH)
async def test_a_pacs_that_behaves(way: str, ways: Any, study: Study) -> None:
    outcome = await ways[way].retrieve((await ways[way].find_studies("ACC-1"))[0])
    assert (outcome.completed, outcome.failed, outcome.refused, outcome.trouble) == (4, 0, False, None)
    assert ways[way].spool.count(study.study_uid) == 4


@pytest.mark.parametrize("way", BOTH)
async def test_too_few_images_show_in_the_counts(way: str, ways: Any, pacs: FakePacs, study: Study) -> None:
    pacs.sends = 2
    outcome = await ways[way].retrieve(hit(study))
    assert outcome.completed == ways[way].spool.count(study.study_uid) == 2


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("way", BOTH)
async def test_a_pacs_that_stands_still_is_cancelled_and_then_left(
    way: str, deaf: bool, *, ways: Any, pacs: FakePacs, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trust_node.imaging.pacs.watching.GRACE_S", 1.0)
    pacs.stalls_after, pacs.deaf_to_cancel = 2, deaf
    began = monotonic()
    assert await trouble(ways[way].retrieve(hit(study))) is Trouble.STALLED
    assert monotonic() - began < 6
    assert pacs.cancels >= 1
    assert ways[way].spool.count(study.study_uid) == 2


@pytest.mark.parametrize("way", BOTH)
async def test_a_pacs_that_drops_the_connection(way: str, ways: Any, pacs: FakePacs, study: Study) -> None:
    pacs.drops_after = 1
    assert await trouble(ways[way].retrieve(hit(study))) is Trouble.CUT_OFF


async def test_an_unknown_destination_is_told_with_its_remedy(ways: Any, pacs: FakePacs, study: Study) -> None:
    pacs.destination = None
    outcome = await ways["move"].retrieve(hit(study))
    assert (outcome.status, outcome.trouble) == (0xA801, Trouble.DESTINATION_UNKNOWN)


@pytest.mark.parametrize(
    ("status", "named"),
    [(0xA702, Trouble.OUT_OF_RESOURCES), (0x0124, Trouble.NOT_ALLOWED), (0xC123, Trouble.REFUSED)],
)
@pytest.mark.parametrize("way", BOTH)
async def test_a_refusal_keeps_its_status(
    way: str, status: int, named: Trouble, *, ways: Any, pacs: FakePacs, study: Study
) -> None:
    pacs.move_status = status
    outcome = await ways[way].retrieve(hit(study))
    assert (outcome.refused, outcome.status, outcome.trouble) == (True, status, named)


async def test_an_image_of_another_study_ends_a_get_and_is_not_kept(ways: Any, pacs: FakePacs, study: Study) -> None:
    pacs.stranger = True
    assert await trouble(ways["get"].retrieve(hit(study))) is Trouble.WRONG_STUDY
    assert len(list(ways["get"].spool.root.rglob("*.dcm"))) == study.images


async def test_a_get_stops_when_the_disk_takes_no_more(ways: Any, study: Study) -> None:
    spool: Spool = ways["get"].spool
    spool.root.mkdir(parents=True, exist_ok=True)
    (spool.root / "received").write_text("a file where a folder should be")
    assert await trouble(ways["get"].retrieve(hit(study))) is Trouble.SPOOL_UNWRITABLE


async def test_an_image_beyond_the_limit_ends_a_get(ways: Any, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_node.imaging.pacs.get.INSTANCE_BYTES", 8000)
    assert await trouble(ways["get"].retrieve(hit(study))) is Trouble.TOO_MUCH
    assert ways["get"].spool.count(study.study_uid) == 0


async def test_one_image_too_many_ends_a_get(ways: Any, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_node.imaging.pacs.arriving.MOST_INSTANCES", 3)
    assert await trouble(ways["get"].retrieve(hit(study))) is Trouble.TOO_MUCH
    assert ways["get"].spool.count(study.study_uid) == 3


async def test_a_pacs_without_get_says_so(study: Study, tmp_path: Path) -> None:
    with FakePacs([study], with_get=False).running() as pacs:
        getting = ByGet(Peer("127.0.0.1", pacs.port, pacs.title, US, timeout_s=5), Spool(tmp_path))
        assert await trouble(getting.retrieve(hit(study))) is Trouble.SERVICE_REFUSED


async def test_without_a_count_at_study_level_the_series_are_counted(ways: Any, study: Study) -> None:
    study.told, study.told_by_series = None, 4
    assert [found.instances for found in await ways["get"].find_studies("ACC-1")] == [4]


async def test_without_any_count_there_is_none(ways: Any, study: Study) -> None:
    study.told = None
    assert [found.instances for found in await ways["get"].find_studies("ACC-1")] == [None]


async def test_a_study_that_was_not_asked_for_is_not_listed(ways: Any, pacs: FakePacs) -> None:
    pacs.studies.append(Study("ACC-12"))
    assert len(await ways["get"].find_studies("ACC-1")) == 1


async def test_the_same_study_told_twice_is_one(ways: Any, pacs: FakePacs) -> None:
    pacs.answers = 2
    assert len(await ways["get"].find_studies("ACC-1")) == 1


async def test_answers_without_end_are_given_up(ways: Any, pacs: FakePacs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_ANSWERS", 50)
    pacs.answers = 5000
    assert await trouble(ways["get"].find_studies("ACC-1")) is Trouble.TOO_MUCH


async def test_a_failed_query_is_no_empty_answer(ways: Any, pacs: FakePacs) -> None:
    pacs.find_status = 0xA700
    assert await trouble(ways["get"].find_studies("ACC-1")) is Trouble.REFUSED


async def test_a_study_uid_that_is_none_goes_no_further(ways: Any, pacs: FakePacs) -> None:
    pacs.garbage = {"StudyInstanceUID": "../../etc/passwd"}
    assert await trouble(ways["get"].find_studies("ACC-1")) is Trouble.UNREADABLE


async def test_our_title_must_be_known(study: Study, tmp_path: Path) -> None:
    with FakePacs([study], known_titles=("OTHER",)).running() as pacs:
        getting = ByGet(Peer("127.0.0.1", pacs.port, pacs.title, US, timeout_s=5), Spool(tmp_path))
        assert await trouble(getting.echo()) is Trouble.OUR_TITLE_UNKNOWN


async def test_a_pacs_with_too_many_associations_is_busy(study: Study, tmp_path: Path) -> None:
    with FakePacs([study], most_associations=1).running() as pacs:
        peer = Peer("127.0.0.1", pacs.port, pacs.title, US, timeout_s=5)
        with peer.association(Verification, meter=Meter()), pytest.raises(PacsError) as busy:
            await ByGet(peer, Spool(tmp_path)).echo()
        assert (busy.value.trouble, busy.value.temporary) == (Trouble.BUSY, True)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x04\x00\xff\xff\xff\xff" + bytes(300_000),  # a PDU of 4 GiB
        b"\x04\x00\x00\x02\x00\x01" + bytes(200_000),  # one byte more than negotiated
        b"\x04\x00\x00\x00\x00\x06" + b"\xff" * 6,
        b"\x04\x00\x00\x00\x00\x0a\x00\x00\x00\x06\x01\x03" + b"\x00" * 4,
        b"\x99\x00\x00\x00\x00\x00",
        b"GET / HTTP/1.1\r\n\r\n" * 20,
    ],
)
async def test_bytes_of_no_protocol_end_a_query_in_time(raw: bytes, ways: Any, pacs: FakePacs) -> None:
    pacs.raw = raw
    began = monotonic()
    assert await trouble(ways["get"].find_studies("ACC-1")) in {Trouble.CUT_OFF, Trouble.TOO_MUCH}
    assert monotonic() - began < 8


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH\r\n", b"\x02\x00\xff\xff\xff\xff", bytes(70_000)])
async def test_a_peer_that_speaks_no_dicom_is_named_in_time(greeting: bytes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        greeting_thread = threading.Thread(target=greet, args=(server, greeting), daemon=True)
        greeting_thread.start()
        peer = Peer("127.0.0.1", server.getsockname()[1], "PACS", US, timeout_s=1)
        assert await trouble(ByGet(peer, Spool(tmp_path)).echo()) is Trouble.NOT_DICOM


def greet(server: socket.socket, greeting: bytes) -> None:
    kept = []
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            connection.sendall(greeting)
            kept.append(connection)


async def test_a_cancelled_retrieval_ends_at_the_pacs_too(ways: Any, pacs: FakePacs, study: Study) -> None:
    async def one_came() -> bool:
        return bool(ways["get"].spool.count(study.study_uid))

    pacs.stalls_after = 1
    running = asyncio.ensure_future(replace(ways["get"], stall_s=60).retrieve(hit(study)))
    await until(one_came)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert pacs.cancels >= 1


async def test_studies_may_come_at_the_same_time(ways: Any, pacs: FakePacs) -> None:
    pacs.studies += [Study(f"ACC-{number}", images=5) for number in range(2, 6)]
    patient = replace(ways["get"].peer, timeout_s=20)
    way = replace(ways["get"], peer=patient, stall_s=20)
    outcomes = await asyncio.gather(*(way.retrieve(hit(each)) for each in pacs.studies))
    assert [outcome.completed for outcome in outcomes] == [each.images for each in pacs.studies]
    assert [way.spool.count(each.study_uid) for each in pacs.studies] == [each.images for each in pacs.studies]
