"""From the archive into the sandbox and back: images with their masks, other resources, results that stay."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from infra.parts.xnat import ADMIN
from infra.parts.xnat import Xnat as XnatPart
from tests.unit.imaging.conversion.series_of import lay_out
from tests.unit.imaging.enrichment.test_segments import blocks, segmentation
from trust_node.imaging.conversion import Dcm2niix, ScanConverter
from trust_node.imaging.enrichment.flaws import Flaw
from trust_node.imaging.xnat import Xnat, scan_address
from trust_node.imaging.xnat.sending import Destination, send_study
from trust_node.training.dataset import gather
from trust_node.training.errands import ArchiveErrands
from trust_node.training.isolation import Limits, SandboxSpec
from trust_node.training.sandbox import Sandbox, SandboxDied, Task

pytestmark = pytest.mark.integration

CODE = """
import json
from pathlib import Path
from trustflow_sdk import Misuse, federation, images

def refused(ask, *words):
    try:
        ask(*words)
    except (Misuse, OSError) as error:
        return str(error)
    return "done"

early = refused(images.get, "S1", "DICOM")
while (task := federation.receive()) is not None:
    (row,) = federation.table
    folder = images.get(row["study"])
    (image,) = folder.rglob("input_*.nii.gz")
    mask = Path(str(image).replace("input_", "label_"))
    Path("/tmp/scores.json").write_text(json.dumps({
        "early": early,
        "mask": mask.name, "in_table": row["mask"] == str(mask.relative_to(federation.data_dir)),
        "dicom": len(list(images.get(row["study"], "DICOM").rglob("*.dcm"))),
        "stranger": refused(images.get, "S9", "DICOM"),
        "written": refused((folder / "x").write_text, "x"),
        "foreign": refused(images.write_back, row["study"], "99", "map.nii.gz", image),
    }))
    images.write_back(row["study"], row["scan"], "scores.json", "/tmp/scores.json")
    images.write_back(row["study"], row["scan"], "map.nii.gz", mask)
    federation.send(None, examples=1, metrics={"images": 1})
"""

DEAF = """
import json, os, socket
wire = socket.socket(fileno=int(os.environ["TRUSTFLOW_SOCKET"]))
wire.recv(65536)
while True:
    wire.send(json.dumps({"errand": "fetch", "study": "S9", "resource": "DICOM"}).encode())
"""


@pytest.fixture
async def archive(xnat: XnatPart) -> AsyncIterator[Xnat]:
    async with Xnat(xnat.url, ADMIN, xnat.password, backoff_s=0.01) as client:
        yield client


@pytest.fixture
async def project(archive: Xnat, tmp_path: Path) -> str:
    """One study of one converted scan, with a DICOM segmentation of it and one of something else."""
    project = await archive.ensure_project(f"hub-{generate_uid()[-8:]}", "Enriched")
    series = lay_out(tmp_path / "series", slices=4, change=numbered)
    pixels = blocks(3, labels=2)
    segmentation(series, pixels, 2).save_as(tmp_path / "seg.dcm")
    other = lay_out(tmp_path / "other", slices=4, step=9.0)
    segmentation(other, pixels, 2).save_as(tmp_path / "wrong.dcm")
    await send_study(archive, Destination(project, "P1", "S1"), sorted(series.iterdir()), tmp_path)
    await ScanConverter(archive, Dcm2niix.pinned()).convert_session(project, "S1", tmp_path / "work")
    address = f"{scan_address(project, 'S1', '4')}/resources/SEG/files"
    for name in ("seg.dcm", "wrong.dcm"):
        await archive.put_file(f"{address}/{name}", tmp_path / name)
    await archive.put_file(
        f"/data/projects/{project}/resources/LABELS/files/labels.csv", b"study,scan,label\nS1,4,t1\n"
    )
    return project


def numbered(image: pydicom.FileDataset, _: int) -> None:
    image.SeriesNumber = 4


def spec(folder: Path, source: str) -> SandboxSpec:
    bundle = folder / "bundle"
    bundle.mkdir()
    (bundle / "trainer.py").write_text(source)
    limits = Limits(memory=6 * 2**30, task_seconds=60, threads=1)
    return SandboxSpec(bundle, "trainer.py", folder / "data", folder / "run", limits)


async def test_a_segmentation_becomes_a_mask_beside_its_image(archive: Xnat, project: str, tmp_path: Path) -> None:
    told = (await gather(archive, project, tmp_path / "data")).coverage
    assert (told.images, told.labelled, told.masked) == (1, 1, 1)
    assert dict(told.rejected) == {Flaw.GEOMETRY_DIFFERS: 1}
    assert [problem.file for problem in told.problems] == ["S1/SEG/4/wrong.dcm"]
    (mask,) = (tmp_path / "data" / "images").rglob("label_*.nii.gz")
    image = mask.with_name(mask.name.replace("label_", "input_"))
    assert nibabel.load(mask).shape == nibabel.load(image).shape
    assert np.allclose(nibabel.load(mask).affine, nibabel.load(image).affine)
    assert set(np.unique(nibabel.load(mask).dataobj)) == {0, 1, 2}


async def test_training_code_reads_a_study_and_leaves_results_with_its_scan(
    archive: Xnat, project: str, tmp_path: Path
) -> None:
    await gather(archive, project, tmp_path / "data")
    errands = ArchiveErrands(archive, project, "run-1", tmp_path / "data", tmp_path / "run" / "derived")
    async with Sandbox(spec(tmp_path, CODE)) as sandbox:
        update = await sandbox.run(Task("evaluate", round=1, seed=0), errands)
    assert update.metrics == {"images": 1.0}
    kept = {file.name: file for file in await archive.list_files(project, "S1") if file.resource == "DERIVED"}
    assert sorted(kept) == ["run-1-map.nii.gz", "run-1-scores.json"]
    scores = json.loads(await archive.read_file(kept["run-1-scores.json"].uri))
    assert re.fullmatch(r"label_S1_4\.nii\.gz", scores["mask"])
    assert (scores["in_table"], scores["dicom"]) == (True, 4)
    assert "between federation.receive and federation.send" in scores["early"]
    assert "none of that name" in scores["stranger"]
    assert "Read-only" in scores["written"]
    assert "not in this project's table" in scores["foreign"]


async def test_code_that_asks_without_end_and_reads_nothing_is_ended(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    async with Sandbox(spec(tmp_path, DEAF)) as sandbox:
        with pytest.raises(SandboxDied) as died:
            await sandbox.run(Task("evaluate", round=1, seed=0))
    assert died.value.reason == "killed"
