"""A study's images as a zip: ours beside Orthanc's study archive, in one run; and the list of 10,000 sessions."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pydicom
import requests
from pydicom.data import get_testdata_file
from rich.console import Console

from infra.parts.orthanc import USER, Orthanc
from infra.parts.part import free_port, running
from infra.parts.xnat import ADMIN, Xnat
from tests.bench.findings import Finding, load_now
from tests.bench.results import Result
from tests.integration.xnat_ground import lay_out_sessions, zip_of

IMAGES = 200
AT_ONCE = 4
RUNS = 3
AIM = 1_000
SESSIONS = 10_000
LIST_AIM_S = 1.0
PIECE = 1 << 20

Get = Callable[[], int]


def measure(console: Console) -> Result:
    images = list(slices(IMAGES))
    with tempfile.TemporaryDirectory() as folder:
        load, root = load_now(), Path(folder)
        with _archive(root / "xnat") as xnat, _orthanc(root / "orthanc") as orthanc:
            ours, bare = _ours(xnat, images), _theirs(orthanc, images)
            console.print(f"a study of {IMAGES} images, {sum(map(len, images)) / 2**20:.0f} MiB")
            one, many = _rate(ours), _rate_at_once(ours)
            orthanc_rate = _rate(bare)
        listing, opening = _listed(root / "many")
    what = f"zip of a study, {IMAGES} CT images of 512x512"
    return Result((
        Finding(what, one, "/s", AIM, orthanc_rate, "Orthanc's study archive", load),
        Finding(f"{what}, {AT_ONCE} at once", many, "/s", AIM, load=load),
        Finding(f"list of {SESSIONS:,} sessions", listing, "s", LIST_AIM_S, load=load),
        Finding(f"start with {SESSIONS:,} sessions in the index", opening, "s", load=load),
    ))  # fmt: skip


def slices(count: int) -> Iterator[bytes]:
    """Yield CT slices of one series: a real small one, tiled to 512x512."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    tiled = np.tile(dataset.pixel_array, (4, 4))
    dataset.Rows, dataset.Columns = tiled.shape
    for number in range(1, count + 1):
        dataset.PixelData = (tiled + number % 7).astype(np.int16).tobytes()
        dataset.InstanceNumber, dataset.SOPInstanceUID = number, f"1.2.3.{number}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        written = BytesIO()
        dataset.save_as(written)
        yield written.getvalue()


@contextmanager
def _archive(folder: Path) -> Iterator[Xnat]:
    with running(part := Xnat(folder, free_port(), secrets.token_hex(8))):
        yield part


@contextmanager
def _orthanc(folder: Path) -> Iterator[Orthanc]:
    ports = (free_port(), free_port(), free_port())
    with running(part := Orthanc(folder, *ports, secrets.token_hex(8))):
        yield part


def _ours(part: Xnat, images: list[bytes]) -> Get:
    http = requests.Session()
    http.auth = (ADMIN, part.password)
    http.put(f"{part.url}/data/projects/P").raise_for_status()
    order = {"project": "P", "subject": "s", "session": "e", "dest": "/archive"}
    http.post(f"{part.url}/data/services/import", params=order, data=zip_of(*images)).raise_for_status()
    address = f"{part.url}/data/projects/P/experiments/e/scans/ALL/files?format=zip"
    return lambda: _received(address, (ADMIN, part.password))


def _theirs(part: Orthanc, images: list[bytes]) -> Get:
    http = requests.Session()
    http.auth = (USER, part.password)
    for image in images:
        stored = http.post(f"{part.url}/instances", data=image)
        stored.raise_for_status()
    address = f"{part.url}/studies/{stored.json()['ParentStudy']}/archive"
    return lambda: _received(address, (USER, part.password))


def _received(address: str, auth: tuple[str, str]) -> int:
    answer = requests.get(address, auth=auth, stream=True, timeout=120)
    answer.raise_for_status()
    return sum(len(piece) for piece in answer.iter_content(PIECE))


def _rate(get: Get) -> float:
    return median(IMAGES / _seconds(get) for _ in range(RUNS))


def _rate_at_once(get: Get) -> float:
    def all_of_them() -> int:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return sum(threads.map(lambda _: get(), range(AT_ONCE)))

    return median(AT_ONCE * IMAGES / _seconds(all_of_them) for _ in range(RUNS))


def _seconds(get: Get) -> float:
    began = perf_counter()
    get()
    return perf_counter() - began


def _listed(folder: Path) -> tuple[float, float]:
    """Return how long a list of many sessions takes, and a start that finds them in the index."""
    lay_out_sessions(folder / "archive", SESSIONS)
    part = Xnat(folder, free_port(), secrets.token_hex(8))
    with running(part):
        address = f"{part.url}/data/projects/P/experiments?format=json"
        listing = median(_seconds(lambda: _received(address, (ADMIN, part.password))) for _ in range(RUNS))
    began = perf_counter()
    with running(part):
        return listing, perf_counter() - began
