"""Images a second out of Orthanc by C-MOVE on one association: to ours, to DCMTK's storescp, to pynetdicom."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event

from pydicom import dcmread
from pynetdicom import AE, StoragePresentationContexts, evt
from rich.console import Console

from infra.parts.orthanc import Orthanc
from infra.parts.part import free_port, is_free, running
from tests.bench.ct import make_slices
from tests.bench.findings import Finding, load_now
from tests.bench.results import Measured, Result
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.sending import send_files
from trust_node.imaging.spool import Spool

SLICES, RUNS, AIM = 1_000, 3, 1_200
MEMORY = Path("/dev/shm")
PROMPT = os.environ | {"TCP_NODELAY": "1"}
PDU = 131_072
LISTENS_WITHIN_S = 60.0

Place = Callable[[Path, Orthanc], AbstractContextManager[None]]


def measure(console: Console) -> Result:
    """Everybody's files lie in memory, so that no disk is measured; after each run the files are counted."""
    with TemporaryDirectory(prefix="receiving-", dir=MEMORY) as name:
        folder = Path(name)
        with running(_orthanc(folder)) as pacs:
            study = fill(pacs, folder / "ct", SLICES)
            rates = _rates(folder, pacs, study, console)
    ours, bare = rates["ours"], rates["storescp"]
    found = Finding("receive: C-MOVE from Orthanc, 1 association", ours, "/s", AIM, bare, "storescp", load_now())
    rows = tuple((who, f"{rate:,.0f}", f"{rate / bare:.2f}") for who, rate in rates.items())
    title, text = "Receiving", f"{SLICES} CT slices of 526 KB; images a second, median of {RUNS} runs."
    return Result((found,), (Measured(title, text, ("receiver", "images/s", "ratio to storescp"), rows),))


def fill(pacs: Orthanc, folder: Path, slices: int) -> str:
    """Have the PACS hold one study of so many slices; return its UID."""
    files = make_slices(folder, slices=slices)
    peer = Peer("127.0.0.1", pacs.dicom_port, pacs.title, "SCANNER")
    assert all(sent.is_stored for sent in send_files(peer, files))
    return str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)


def move(pacs: Orthanc, study: str) -> float:
    """Have the PACS send the study to its receiver; return the seconds it takes."""
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")
    called = ("-S", "-aec", pacs.title, "-aem", pacs.receiver_title, "127.0.0.1", str(pacs.dicom_port))
    began = time.perf_counter()
    subprocess.run(["movescu", *called, *keys], env=PROMPT, check=True, capture_output=True)
    return time.perf_counter() - began


@contextmanager
def ours(folder: Path, pacs: Orthanc) -> Iterator[None]:
    with Receiver(Spool(folder), pacs.receiver_title, "127.0.0.1", pacs.receiver_port, (pacs.title,)):
        yield


@contextmanager
def storescp(folder: Path, pacs: Orthanc) -> Iterator[None]:
    """As fast as it gets: written bit by bit as it comes, large PDUs, Nagle off."""
    words = ("storescp", "-B", "-pdu", str(PDU), "-aet", pacs.receiver_title, "-od", str(folder))
    process = subprocess.Popen([*words, str(pacs.receiver_port)], env=PROMPT)
    try:
        _wait_for(pacs.receiver_port)
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def pynetdicom(folder: Path, pacs: Orthanc) -> Iterator[None]:
    """As fast as it gets: raw bytes to a file, large PDUs, in a process that does nothing else."""
    process = get_context("spawn").Process(target=_listen, args=(folder, pacs.receiver_title, pacs.receiver_port))
    process.start()
    try:
        _wait_for(pacs.receiver_port)
        yield
    finally:
        process.kill()
        process.join()


PLACES: dict[str, Place] = {"ours": ours, "storescp": storescp, "pynetdicom": pynetdicom}


def _rates(folder: Path, pacs: Orthanc, study: str, console: Console) -> dict[str, float]:
    """Take turns, so that whatever else this machine does befalls all alike."""
    rates: dict[str, list[float]] = {who: [] for who in PLACES}
    for run in range(RUNS):
        for who, place in PLACES.items():
            rates[who].append(_once(place, folder / who / str(run), pacs, study))
            console.print(f"{who}: {rates[who][-1]:,.0f} images/s")
    return {who: median(each) for who, each in rates.items()}


def _once(place: Place, folder: Path, pacs: Orthanc, study: str) -> float:
    folder.mkdir(parents=True)
    with place(folder, pacs):
        seconds = move(pacs, study)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) == SLICES, f"{len(files)} of {SLICES} files"
    for file in files:
        file.unlink()
    return SLICES / seconds


def _listen(folder: Path, title: str, port: int) -> None:
    def keep(event: evt.Event) -> int:
        (folder / f"{event.request.AffectedSOPInstanceUID}.dcm").write_bytes(event.encoded_dataset())  # type: ignore[union-attr]
        return 0

    entity = AE(ae_title=title)
    entity.supported_contexts = StoragePresentationContexts
    entity.maximum_pdu_size = PDU
    entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    Event().wait()


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + LISTENS_WITHIN_S
    while is_free(port):
        assert time.monotonic() < give_up, "the peer does not listen"
        time.sleep(0.05)


def _orthanc(folder: Path) -> Orthanc:
    return Orthanc(folder / "orthanc", free_port(), free_port(), free_port(), "bench")
