"""Images a second into an Orthanc that leaves Nagle's algorithm on: by ours, by pynetdicom, by DCMTK's storescu."""

import os
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable
from http.client import HTTPConnection
from json import loads
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from rich.console import Console

from infra.parts.orthanc import USER, Orthanc
from infra.parts.part import free_port, running
from tests.bench.ct import make_slices
from tests.bench.findings import Finding, load_now
from tests.bench.results import Measured, Result
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.sending import send_files

SLICES, RUNS, AIM = 100, 3, 140
MEMORY = Path("/dev/shm")
TITLE = "SCANNER"

Send = Callable[[Orthanc, list[Path]], None]


def measure(console: Console) -> Result:
    """Each run sends new images, and the PACS is asked how many it then has."""
    with TemporaryDirectory(prefix="sending-", dir=MEMORY) as name:
        folder = Path(name)
        pacs = Orthanc(folder / "orthanc", free_port(), free_port(), free_port(), "bench", prompt=False)
        with running(pacs):
            rates = {who: _rate(who, send, folder / who, pacs, console) for who, send in SENDERS.items()}
    ours, bare = rates["ours"], rates["pynetdicom"]
    found = Finding("send: C-STORE to an Orthanc with Nagle on", ours, "/s", AIM, bare, "pynetdicom", load_now())
    rows = tuple((who, f"{rate:,.0f}", f"{rate / bare:.1f}") for who, rate in rates.items())
    text = f"{SLICES} CT slices of 526 KB to a PACS as Debian ships it; images a second, median of {RUNS} runs."
    return Result((found,), (Measured("Sending", text, ("sender", "images/s", "ratio to pynetdicom"), rows),))


def ours(pacs: Orthanc, files: list[Path]) -> None:
    peer = Peer("127.0.0.1", pacs.dicom_port, pacs.title, TITLE)
    assert all(sent.is_stored for sent in send_files(peer, files))


def pynetdicom(pacs: Orthanc, files: list[Path]) -> None:
    """From the files, as its documentation shows it."""
    entity = AE(ae_title=TITLE)
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", pacs.dicom_port, ae_title=pacs.title)
    assert association.is_established
    assert {association.send_c_store(file).Status for file in files} == {0}
    association.release()


def storescu(pacs: Orthanc, files: list[Path]) -> None:
    """As Debian ships it."""
    words = ("storescu", "+sd", "-aec", pacs.title, "127.0.0.1", str(pacs.dicom_port), str(files[0].parent))
    shipped = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}
    subprocess.run(words, env=shipped, check=True, capture_output=True)


SENDERS: dict[str, Send] = {"ours": ours, "pynetdicom": pynetdicom, "storescu": storescu}


def _rate(who: str, send: Send, folder: Path, pacs: Orthanc, console: Console) -> float:
    rates = [_once(send, folder / str(run), pacs) for run in range(RUNS)]
    console.print(f"{who}: {', '.join(f'{rate:,.0f}' for rate in rates)} images/s")
    return median(rates)


def _once(send: Send, folder: Path, pacs: Orthanc) -> float:
    files, before = make_slices(folder, slices=SLICES), _held(pacs)
    began = time.perf_counter()
    send(pacs, files)
    seconds = time.perf_counter() - began
    assert _held(pacs) - before == SLICES
    return SLICES / seconds


def _held(pacs: Orthanc) -> int:
    ask = HTTPConnection("127.0.0.1", pacs.http_port, timeout=20)
    login = b64encode(f"{USER}:{pacs.password}".encode()).decode()
    ask.request("GET", "/statistics", headers={"Authorization": f"Basic {login}"})
    return int(loads(ask.getresponse().read())["CountInstances"])
