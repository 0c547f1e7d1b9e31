"""What training code may ask of the node, and what it may leave in the archive."""

import json
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.imaging.enrichment.shelf import AFFINE, SHAPE, Shelf, nifti
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError
from trust_node.training import errands
from trust_node.training.dataset import gather
from trust_node.training.errands import ArchiveErrands

DERIVED = "/data/projects/p/experiments/S1/scans/2/resources/DERIVED/files/"


@pytest.fixture
async def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf()
    shelf.put("S1", "2", "NIFTI", "input_S1_2.nii.gz", nifti(tmp_path))
    shelf.put("S1", "2", "DICOM", "a.dcm", b"dicom")
    await gather(shelf, "p", tmp_path / "data")
    return shelf


@pytest.fixture
def desk(shelf: Shelf, tmp_path: Path) -> ArchiveErrands:
    return ArchiveErrands(shelf, "p", "run-1", tmp_path / "data", tmp_path / "aside")


async def hand_over(desk: ArchiveErrands, path: Path, **changes: str) -> dict[str, str]:
    asked = {"errand": "write_back", "study": "S1", "scan": "2", "name": path.name} | changes
    file = os.open(path, os.O_RDONLY)
    try:
        return await desk.serve(asked, file)
    finally:
        os.close(file)


async def test_another_resource_is_brought_once_and_whole(desk: ArchiveErrands, shelf: Shelf) -> None:
    told = await desk.serve({"errand": "fetch", "study": "S1", "resource": "DICOM"}, None)
    assert (desk.folder / told["path"] / "2" / "a.dcm").read_bytes() == b"dicom"
    shelf.fetched.clear()
    assert await desk.serve({"errand": "fetch", "study": "S1", "resource": "DICOM"}, None) == told
    assert shelf.fetched == []


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ({"errand": "fetch", "study": "S9", "resource": "DICOM"}, "study: none"),
        ({"errand": "fetch", "study": "../..", "resource": "DICOM"}, "study: none"),
        ({"errand": "fetch", "study": "S1", "resource": "../NIFTI"}, "resource: choose"),
        ({"errand": "fetch", "study": 3, "resource": "DICOM"}, "fetch and write_back only"),
        ({"errand": "write_back", "study": "S1", "scan": "2", "name": "a.json"}, "fetch and write_back only"),
        ({"errand": "delete"}, "fetch and write_back only"),
    ],
)
async def test_what_it_may_not_ask_is_refused_with_the_remedy(desk: ArchiveErrands, asked: dict, remedy: str) -> None:
    assert remedy in (await desk.serve(asked, None))["refused"]


@pytest.mark.parametrize("error", [XnatUnreachableError("gone"), XnatRefusedError(HTTPStatus.FORBIDDEN, "GET /secret")])
async def test_an_archive_that_is_away_is_told_without_its_words(
    desk: ArchiveErrands, shelf: Shelf, error: Exception
) -> None:
    async def away(*_: object) -> None:
        raise error

    shelf.list_files = away
    told = await desk.serve({"errand": "fetch", "study": "S1", "resource": "DICOM"}, None)
    assert "does not answer" in told["refused"]
    assert "secret" not in told["refused"]


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


GOOD: dict[str, Callable[[Path], bytes]] = {
    "map.nii.gz": lambda t: nifti(t, np.ones(SHAPE, np.float32)),
    "scores.json": lambda _: json.dumps({"dice": 0.9}).encode(),
    "boxes.csv": lambda _: b"x,y\r\n1,2\r\n",
}


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_whole_and_in_its_place_is_kept_with_the_scan(
    name: str, desk: ArchiveErrands, shelf: Shelf, tmp_path: Path
) -> None:
    content = GOOD[name](tmp_path)
    assert await hand_over(desk, written(tmp_path, name, content)) == {}
    assert shelf.files[f"{DERIVED}run-1-{name}"] == content
    assert list(desk.aside.iterdir()) == []


BAD: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "shape.nii.gz": (lambda t: nifti(t, np.ones((3, 3, 3), np.float32)), "as many voxels"),
    "place.nii.gz": (lambda t: nifti(t, affine=AFFINE @ np.diag([1, 1, 1.1, 1])), "as many voxels"),
    "noise.nii.gz": (lambda _: b"\x1f\x8bnoise", "no whole nii.gz"),
    "half.json": (lambda _: b'{"dice": ', "no whole json"),
    "deep.json": (lambda _: b"[" * 200_000, "no whole json"),
    "bytes.csv": (lambda _: b"\xff\xfe", "no whole csv"),
    "code.py": (lambda _: b"print()", "name:"),
    "model.safetensors": (lambda _: b"x", "name:"),
    ".hidden.json": (lambda _: b"{}", "name:"),
}


@pytest.mark.parametrize("name", BAD)
async def test_anything_else_is_refused_and_not_kept(
    name: str, desk: ArchiveErrands, shelf: Shelf, tmp_path: Path
) -> None:
    content, remedy = BAD[name]
    told = await hand_over(desk, written(tmp_path, name, content(tmp_path)))
    assert remedy in told["refused"]
    assert not any("DERIVED" in uri for uri in shelf.files)
    assert not desk.aside.exists() or list(desk.aside.iterdir()) == []


@pytest.mark.parametrize(
    "changes", [{"study": "S9"}, {"scan": "7"}, {"study": "..", "scan": ".."}, {"name": "../a.json"}]
)
async def test_only_a_scan_of_the_table_takes_it(changes: dict[str, str], desk: ArchiveErrands, tmp_path: Path) -> None:
    assert "refused" in await hand_over(desk, written(tmp_path, "a.json", b"{}"), **changes)


async def test_too_much_is_refused(desk: ArchiveErrands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "LARGEST_TABLE", 10)
    assert "at most" in (await hand_over(desk, written(tmp_path, "a.json", b'"' + b"x" * 20 + b'"')))["refused"]
    monkeypatch.setattr(errands, "MOST_FILES", 2)
    assert await hand_over(desk, written(tmp_path, "b.json", b"{}")) == {}
    assert "may write back" in (await hand_over(desk, written(tmp_path, "c.json", b"{}")))["refused"]


async def test_a_pipe_is_no_file(desk: ArchiveErrands) -> None:
    read, write = os.pipe()
    try:
        asked = {"errand": "write_back", "study": "S1", "scan": "2", "name": "a.json"}
        assert "plain file" in (await desk.serve(asked, read))["refused"]
    finally:
        os.close(read)
        os.close(write)


@given(asked=st.dictionaries(st.sampled_from(["errand", "study", "scan", "name", "resource"]), st.text() | st.none()))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_asked_has_an_answer(asked: dict, desk: ArchiveErrands) -> None:
    assert "refused" in await desk.serve(asked, None)
