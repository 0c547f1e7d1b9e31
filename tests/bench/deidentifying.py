"""Images a second through de-identification, alone and at the end of the whole way in from the PACS."""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory

import pydicom
from pydicom import DataElement, Dataset
from pydicom.uid import UID
from rich.console import Console

from infra.parts.orthanc import Orthanc
from infra.parts.part import free_port, running
from tests.bench import receiving
from tests.bench.ct import make_slices
from tests.bench.findings import Finding, load_now
from tests.bench.results import Measured, Result
from trust_node.imaging.deid import CleanFile, DeidKeys, DeidPlan, clean_files, files
from trust_node.imaging.deid.profile import rows
from trust_node.imaging.deid.script import Script
from trust_node.imaging.workers import process_pool

SLICES, RUNS, PROCESSES, BATCH = 1_000, 3, 2, 16
AIM_ALONE, AIM_WHOLE = 700, 700
MEMORY = Path("/dev/shm")
KEYS = DeidKeys(bytes(range(32)))
PLAN = DeidPlan(KEYS)
SCRIPTED = DeidPlan(KEYS, scripts=(Script.parse('version "6.3"\n(0008,103E) := session\n- (0018,1030)\n', "site"),))
# What a thin script asks for: sixty of the attributes that the table removes.
SIXTY = [int(tag, 16) for tag, row in rows().items() if row.basic == "X" and "X" not in tag and tag > "00080000"][:60]

Work = Callable[[Sequence[Path], Path], None]


def measure(console: Console) -> Result:
    """Everybody's files lie in memory, so that no disk is measured; after each run the files are counted."""
    with TemporaryDirectory(prefix="deidentifying-", dir=MEMORY) as name:
        folder = Path(name)
        originals = make_slices(folder / "ct", slices=SLICES)
        alone = {who: _rate(who, partial(_alone, work, originals, folder), console) for who, work in WORKS.items()}
        both = _rate("ours, 2 processes", partial(_in_pool, ours, originals, folder), console)
        whole, peer = _whole(folder, console)
    found = (
        Finding(
            "de-identify, 1 process", alone["ours"], "/s", AIM_ALONE, alone["60 tags"], "pydicom, 60 tags", load_now()
        ),
        Finding(
            "receive and de-identify, 2 processes", whole, "/s", AIM_WHOLE, peer, "pynetdicom, 60 tags", load_now()
        ),
    )
    cells = tuple((who, f"{rate:,.0f}") for who, rate in {**alone, "ours, 2 processes": both}.items())
    text = f"{SLICES} CT slices of 526 KB, full profile and leak check; images a second, median of {RUNS} runs."
    return Result(found, (Measured("De-identifying", text, ("who", "images/s"), cells),))


def ours(originals: Sequence[Path], out: Path, plan: DeidPlan = PLAN) -> None:
    assert all(isinstance(result, CleanFile) for result in clean_files(originals, out, plan))


def scripted(originals: Sequence[Path], out: Path) -> None:
    ours(originals, out, SCRIPTED)


def plainly(originals: Sequence[Path], out: Path) -> None:
    """Take the way of everything odd: through pydicom, pixels and all."""
    for original in originals:
        result = files._plain(original.read_bytes(), PLAN)
        out.joinpath(f"{result.instance}.dcm").write_bytes(b"".join(result.parts))


def unchanged(originals: Sequence[Path], out: Path) -> None:
    for original in originals:
        pydicom.dcmread(original).save_as(out / original.name)


def sixty_tags(originals: Sequence[Path], out: Path) -> None:
    """Do what most scripts do: delete some attributes and all private ones, and hash every UID."""
    for original in originals:
        dataset = pydicom.dcmread(original)
        for tag in SIXTY:
            dataset.pop(tag, None)
        dataset.remove_private_tags()
        dataset.PatientName = dataset.PatientID = "ANONYMIZED"
        dataset.walk(_hash_uid)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(out / f"{dataset.SOPInstanceUID}.dcm")


def _hash_uid(_: Dataset, element: DataElement) -> None:
    if element.VR == "UI" and not UID(element.value).is_private:
        return
    if element.VR == "UI":
        digest = hmac.digest(KEYS.secret, str(element.value).encode(), hashlib.sha256)
        element.value = f"2.25.{int.from_bytes(digest[:16])}"


WORKS: dict[str, Work] = {
    "pydicom, read and write": unchanged,
    "60 tags": sixty_tags,
    "ours, the plain way": plainly,
    "ours, with a script": scripted,
    "ours": ours,
}


def _rate(who: str, once: Callable[[], float], console: Console) -> float:
    rates = [once() for _ in range(RUNS)]
    console.print(f"{who}: {', '.join(f'{rate:,.0f}' for rate in rates)} images/s")
    return median(rates)


def _alone(work: Work, originals: Sequence[Path], folder: Path) -> float:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return _timed(pool, work, originals, folder, len(originals))


def _in_pool(work: Work, originals: Sequence[Path], folder: Path) -> float:
    with _pool() as pool:
        return _timed(pool, work, originals, folder, BATCH)


def _pool() -> ProcessPoolExecutor:
    return process_pool(PROCESSES, "bench", "text")


def _timed(pool: ProcessPoolExecutor, work: Work, originals: Sequence[Path], folder: Path, batch: int) -> float:
    """Run `work` on batches; processes are warm before the clock starts, what they remember is not."""
    out = folder / "clean"
    out.mkdir()
    list(pool.map(_warm, range(PROCESSES)))
    began = time.perf_counter()
    tasks = [pool.submit(work, originals[at : at + batch], out) for at in range(0, len(originals), batch)]
    for task in tasks:
        task.result()
    seconds = time.perf_counter() - began
    assert len(list(out.iterdir())) == len(originals)
    rmtree(out)
    return len(originals) / seconds


def _warm(_: int) -> None:
    time.sleep(0.2)


def _whole(folder: Path, console: Console) -> tuple[float, float]:
    """Time the way of a study: out of the PACS into the spool, then through de-identification, as the node does."""
    pacs = Orthanc(folder / "orthanc", free_port(), free_port(), free_port(), "bench")
    with running(pacs):
        study = receiving.fill(pacs, folder / "filled", SLICES)
        way = partial(_way, pacs, study, folder)
        ours_ = _rate("whole way, ours", partial(way, receiving.ours, ours), console)
        peer = _rate("whole way, pynetdicom and 60 tags", partial(way, receiving.pynetdicom, sixty_tags_raw), console)
    return ours_, peer


def _way(pacs: Orthanc, study: str, folder: Path, place: receiving.Place, work: Work) -> float:
    spool = folder / "spool"
    spool.mkdir()
    with _pool() as pool:
        with place(spool, pacs):
            seconds = receiving.move(pacs, study)
        originals = sorted(file for file in spool.rglob("*") if file.is_file())
        assert len(originals) == SLICES
        seconds += SLICES / _timed(pool, work, originals, folder, BATCH)
    rmtree(spool)
    return SLICES / seconds


def sixty_tags_raw(originals: Sequence[Path], out: Path) -> None:
    """Do the same with what the pynetdicom receiver of this bench writes: data sets without file meta."""
    for original in originals:
        dataset = pydicom.dcmread(original, force=True)
        for tag in SIXTY:
            dataset.pop(tag, None)
        dataset.remove_private_tags()
        dataset.PatientName = dataset.PatientID = "ANONYMIZED"
        dataset.walk(_hash_uid)
        implicit, little = dataset.original_encoding
        path = out / f"{dataset.SOPInstanceUID}.dcm"
        dataset.save_as(path, implicit_vr=bool(implicit), little_endian=bool(little))
