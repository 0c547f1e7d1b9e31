"""The receiver in its own process, beside the peers that a hospital has."""

import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data.data_manager import DATA_ROOT
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, build_context

from infra.parts.orthanc import USER, Orthanc
from infra.parts.part import free_port, is_free
from tests.bench.ct import make_slices
from tests.bench.receiving import move
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.receiver import Limits, Receiver
from trust_node.imaging.receiver.header import identify
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.meta import read_file_head
from trust_node.imaging.sending import SendingError, Sent, echo, send_files
from trust_node.imaging.spool import Spool

pytestmark = pytest.mark.integration

TITLE, CALLER = "NODE", "PACS"
ROOT = Path(__file__).parents[2]
TEST_FILES = Path(DATA_ROOT) / "test_files"


def eventually(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    give_up = time.monotonic() + within_s
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(Spool(tmp_path / "spool"), TITLE, "127.0.0.1", free_port(), (CALLER,)) as started:
        yield started
        assert started.figures()["aborted.fault"] == 0


def peer(receiver: Receiver, our_title: str = CALLER, title: str = TITLE) -> Peer:
    return Peer("127.0.0.1", receiver.port, title, our_title, timeout_s=10)


def dcmtk(tool: str, receiver: Receiver, *words: str, title: str = TITLE, our_title: str = CALLER) -> int:
    names = ("-aec", title, "-aet", our_title, "127.0.0.1", str(receiver.port))
    options, files = [w for w in words if w.startswith(("-", "+")) or w.isdigit()], [w for w in words if "/" in w]
    return subprocess.run([tool, *options, *names, *files], check=False, capture_output=True).returncode


def data_set(path: Path) -> bytes:
    data = path.read_bytes()
    return data[read_file_head(data).start :]


def received(receiver: Receiver) -> list[Path]:
    return sorted((receiver.spool.root / "received").rglob("*.dcm"))


def parts(receiver: Receiver) -> list[Path]:
    return list((receiver.spool.root / "receiving").iterdir())


def sendable() -> Iterator[Path]:
    """Every file that says who it is, pydicom-data's included where that is installed."""
    for path in sorted([*TEST_FILES.glob("*.dcm"), *_more_files()]):
        with suppress(MalformedError):
            data = path.read_bytes()
            head = read_file_head(data)
            who = identify(data[head.start :], head.transfer_syntax)
            if who.study and who.sop_instance and head.transfer_syntax != DeflatedExplicitVRLittleEndian:
                yield path


def _more_files() -> list[Path]:
    import data_store

    return [path for path in Path(data_store.__file__).parent.rglob("*.dcm") if path.is_file()]


def test_every_file_that_says_who_it_is_arrives_as_it_was_sent(receiver: Receiver) -> None:
    files = list(sendable())
    syntaxes = {read_file_head(path.read_bytes()).transfer_syntax for path in files}
    assert (len(files) > 100, len(syntaxes) >= 10) == (True, True)
    last: dict[str, Path] = {}
    for sent in send_files(peer(receiver), files):
        assert sent == Sent(sent.path, 0x0000)
        last[_instance(sent.path)] = sent.path
    assert {_instance(path): data_set(path) for path in received(receiver)} == {
        instance: data_set(path) for instance, path in last.items()
    }
    assert parts(receiver) == []


def _instance(path: Path) -> str:
    data = path.read_bytes()
    head = read_file_head(data)
    return identify(data[head.start :], head.transfer_syntax).sop_instance


def test_what_pydicom_reads_of_our_files_is_what_it_read_before(receiver: Receiver) -> None:
    original = TEST_FILES / "MR_small_RLE.dcm"
    list(send_files(peer(receiver), [original]))
    (file,) = received(receiver)
    ours, theirs = dcmread(file), dcmread(original)
    assert ours == theirs
    assert ours.file_meta.TransferSyntaxUID == theirs.file_meta.TransferSyntaxUID


def test_echoscu_is_answered(receiver: Receiver) -> None:
    assert dcmtk("echoscu", receiver) == 0
    assert dcmtk("echoscu", receiver, our_title="STRANGER") != 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CT_small.dcm", ("-pdu", "4096")),
        ("CT_small.dcm", ("-pdu", "131072")),
        ("CT_small.dcm", ("--propose-implicit",)),
        ("MR_small_bigendian.dcm", ("-xb",)),
        ("MR_small_RLE.dcm", ("-xr",)),
        ("JPEG2000.dcm", ("-xw",)),
        ("MR_small_jpeg_ls_lossless.dcm", ("-xt",)),
        ("JPEG-lossy.dcm", ("-xx",)),
    ],
)
def test_storescu_brings_what_it_has(receiver: Receiver, name: str, options: tuple[str, ...]) -> None:
    original = TEST_FILES / name
    assert dcmtk("storescu", receiver, *options, str(original)) == 0
    (file,) = received(receiver)
    image, expected = dcmread(file), dcmread(original)
    assert (image.SOPInstanceUID, image["PixelData"].value) == (expected.SOPInstanceUID, expected["PixelData"].value)


def test_storescu_brings_a_series_and_nothing_is_lost(receiver: Receiver, tmp_path: Path) -> None:
    files = make_slices(tmp_path / "ct", slices=300)
    assert dcmtk("storescu", receiver, "+sd", str(tmp_path / "ct")) == 0
    assert sorted(map(data_set, received(receiver))) == sorted(map(data_set, files))


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "rtplan.dcm", "MR_small_implicit.dcm"])
def test_pynetdicom_stores(receiver: Receiver, name: str) -> None:
    image = dcmread(TEST_FILES / name)
    entity = AE(ae_title=CALLER)
    context = build_context(image.file_meta.MediaStorageSOPClassUID, image.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", receiver.port, contexts=[context], ae_title=TITLE)
    assert association.is_established
    assert association.send_c_store(image).Status == 0x0000
    association.release()
    (file,) = received(receiver)
    assert dcmread(file) == image


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"), [("STRANGER", TITLE, 3), (CALLER, "SOMEBODY", 7)], ids=["calling", "called"]
)
def test_pynetdicom_is_told_which_title_is_wrong(receiver: Receiver, ours: str, theirs: str, reason: int) -> None:
    entity = AE(ae_title=ours)
    refused = entity.associate("127.0.0.1", receiver.port, [build_context(CTImageStorage)], ae_title=theirs)
    assert refused.is_rejected
    answer = refused.acceptor.primitive
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, reason)


def test_our_own_sender_says_why_it_is_refused(receiver: Receiver) -> None:
    echo(peer(receiver))
    with pytest.raises(SendingError, match=r"refuses.*reason=7"):
        echo(peer(receiver, title="SOMEBODY"))
    receiver.stop()
    with pytest.raises(SendingError, match="ConnectionRefusedError"):
        echo(peer(receiver))


def test_other_networks_are_hung_up_on(tmp_path: Path) -> None:
    spool, port = Spool(tmp_path / "spool"), free_port()
    with Receiver(spool, TITLE, "127.0.0.1", port, (CALLER,), allowed_networks=("192.0.2.0/24",)) as receiver:
        assert dcmtk("echoscu", receiver) != 0
        assert receiver.figures()["refused.address"] == 1


def test_networks_that_are_none_are_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        Receiver(Spool(tmp_path), TITLE, "127.0.0.1", 1, (CALLER,), allowed_networks=("10.0.0.1/8",))


def test_a_full_disk_refuses_images_and_nothing_else(tmp_path: Path) -> None:
    spool, port = Spool(tmp_path / "spool"), free_port()
    with Receiver(spool, TITLE, "127.0.0.1", port, (CALLER,), limits=Limits(free=2**62)) as receiver:
        (sent,) = send_files(peer(receiver), [TEST_FILES / "CT_small.dcm"])
        assert (sent.status, sent.is_stored) == (0xA700, False)
        assert dcmtk("echoscu", receiver) == 0
        assert (received(receiver), parts(receiver)) == ([], [])


def store_in(orthanc: Orthanc, slices: int, folder: Path) -> str:
    """Fill the PACS; return the study's UID."""
    files = make_slices(folder, slices=slices)
    assert all(
        sent.is_stored for sent in send_files(Peer("127.0.0.1", orthanc.dicom_port, orthanc.title, "SCANNER"), files)
    )
    return str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)


@pytest.fixture
def beside_orthanc(orthanc: Orthanc, tmp_path: Path) -> Iterator[Receiver]:
    spool = Spool(tmp_path / "spool")
    with Receiver(spool, orthanc.receiver_title, "127.0.0.1", orthanc.receiver_port, (orthanc.title,)) as started:
        yield started


def test_orthanc_moves_a_study(orthanc: Orthanc, beside_orthanc: Receiver, tmp_path: Path) -> None:
    study = store_in(orthanc, 60, tmp_path / "ct")
    move(orthanc, study)
    originals = {_instance(path): data_set(path) for path in (tmp_path / "ct").iterdir()}
    assert {_instance(path): data_set(path) for path in received(beside_orthanc)} == originals
    assert beside_orthanc.figures()["objects"] == 60


def test_orthanc_stores_by_itself(orthanc: Orthanc, beside_orthanc: Receiver, tmp_path: Path) -> None:
    study = store_in(orthanc, 5, tmp_path / "ct")
    ask = HTTPConnection("127.0.0.1", orthanc.http_port, timeout=20)
    headers = {"Authorization": "Basic " + b64encode(f"{USER}:{orthanc.password}".encode()).decode()}
    ask.request("POST", "/tools/lookup", study, headers)
    found = ask.getresponse().read().decode().split('"ID" : "')[1].split('"')[0]
    ask.request("POST", "/modalities/receiver/store", found, headers)
    assert ask.getresponse().status == 200
    assert beside_orthanc.spool.count(study) == 5


def test_a_peer_killed_in_the_middle_leaves_no_half_file(receiver: Receiver, tmp_path: Path) -> None:
    large = dcmread(TEST_FILES / "CT_small.dcm")
    large.PixelData = bytes(400_000_000)
    large.save_as(tmp_path / "large.dcm")
    words = ("storescu", "-aec", TITLE, "-aet", CALLER, "127.0.0.1", str(receiver.port), str(tmp_path / "large.dcm"))
    storescu = subprocess.Popen(words)
    assert eventually(lambda: any(part.stat().st_size > 2**20 for part in parts(receiver)))
    storescu.kill()
    assert storescu.wait() == -signal.SIGKILL
    assert eventually(lambda: parts(receiver) == [])
    assert received(receiver) == []
    assert receiver.figures()["aborted.lost"] == 1
    assert dcmtk("echoscu", receiver) == 0


def test_nothing_whole_is_lost_when_the_receiver_is_killed(receiver: Receiver, tmp_path: Path) -> None:
    files = make_slices(tmp_path / "ct", slices=200)
    stored: list[Path] = []
    first = receiver.pid

    def store_and_kill() -> None:
        for sent in send_files(peer(receiver), files):
            stored.append(sent.path)
            if len(stored) == 100:
                os.kill(first or 0, signal.SIGKILL)

    with pytest.raises(SendingError):
        store_and_kill()
    assert eventually(lambda: receiver.pid != first)
    echo(peer(receiver))  # it waited at the open port meanwhile
    there = {_instance(path): data_set(path) for path in received(receiver)}
    assert {_instance(path): data_set(path) for path in stored}.items() <= there.items()
    assert parts(receiver) == []
    assert [sent.status for sent in send_files(peer(receiver), files)] == [0] * 200
    assert receiver.figures()["restarts"] == 1


def test_what_a_killed_receiver_left_is_swept_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.sweep()
    (tmp_path / "spool" / "receiving" / "0123.part").write_bytes(b"half an image")
    being_written = spool.begin()
    with Receiver(spool, TITLE, "127.0.0.1", free_port(), (CALLER,)) as receiver:
        assert [str(part) for part in parts(receiver)] == [being_written.path]
    being_written.drop()


PARENT = """
import sys, time
from pathlib import Path
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.spool import Spool
with Receiver(Spool(Path(sys.argv[1])), "NODE", "127.0.0.1", int(sys.argv[2]), ("PACS",)):
    print("up", flush=True)
    sys.stdin.read()
"""


def test_the_receiver_ends_with_the_node_however_that_ends(tmp_path: Path) -> None:
    port = free_port()
    node = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), str(port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert node.stdout
    assert node.stdout.readline() == b"up\n"
    echo(Peer("127.0.0.1", port, TITLE, CALLER))
    node.kill()
    node.wait()
    assert eventually(lambda: is_free(port))


def test_a_taken_port_is_said_at_the_start(receiver: Receiver, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        Receiver(Spool(tmp_path), TITLE, "127.0.0.1", receiver.port, (CALLER,)).start()


def test_a_spool_that_cannot_be_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    port = free_port()
    with pytest.raises(RuntimeError, match="ended at once with 1"):
        Receiver(Spool(tmp_path / "file"), TITLE, "127.0.0.1", port, (CALLER,)).start()
    assert is_free(port)


def test_a_receiver_may_be_stopped_twice_and_started_again(receiver: Receiver) -> None:
    receiver.stop()
    receiver.stop()
    receiver.start()
    echo(peer(receiver))


def test_a_private_storage_class_is_taken_only_where_it_may_be(receiver: Receiver, tmp_path: Path) -> None:
    image = dcmread(TEST_FILES / "CT_small.dcm")
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = generate_uid()
    image.save_as(tmp_path / "private.dcm")
    (sent,) = send_files(peer(receiver), [tmp_path / "private.dcm"])
    assert sent.is_stored
    port = free_port()
    with Receiver(
        Spool(tmp_path / "strict"), TITLE, "127.0.0.1", port, (CALLER,), accept_unknown_storage=False
    ) as strict:
        (sent,) = send_files(peer(strict), [tmp_path / "private.dcm"])
        assert (sent.status, sent.is_stored) == (None, False)
