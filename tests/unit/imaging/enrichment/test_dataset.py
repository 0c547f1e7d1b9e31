"""What training code finds, after people have added labels and masks, right ones and wrong ones."""

import csv
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.unit.imaging.enrichment.shelf import AFFINE, SHAPE, Shelf, drawn, nifti
from trust_node.cohort.frozen.covariates import Covariates
from trust_node.imaging.enrichment.coverage import unmatched
from trust_node.imaging.enrichment.flaws import Flaw
from trust_node.imaging.enrichment.grids import Grid
from trust_node.imaging.enrichment.labels import LabelsUnreadableError, read_values
from trust_node.imaging.xnat import XnatUnreachableError
from trust_node.training.dataset import Dataset, cover, gather
from trust_node.training.library import MARK, folder_name, read_mark


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf()
    for study, scan in (("S1", "2"), ("S1", "3"), ("S2", "2")):
        shelf.put(study, scan, "NIFTI", f"input_{study}_{scan}.nii.gz", nifti(tmp_path))
        shelf.put(study, scan, "NIFTI", "conversion.json", b"{}")
        shelf.put(study, scan, "DICOM", "a.dcm", b"dicom")
    return shelf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def found(dataset: Dataset) -> tuple[int, int, int, dict[str, int]]:
    told = dataset.coverage
    return told.images, told.labelled, told.masked, dict(told.rejected)


async def test_images_come_with_a_table_and_nothing_else(shelf: Shelf, folder: Path) -> None:
    assert found(await gather(shelf, "p", folder)) == (3, 0, 0, {})
    rows = table(folder)
    assert [(row["study"], row["scan"]) for row in rows] == [("S1", "2"), ("S1", "3"), ("S2", "2")]
    assert rows[0]["path"] == "images/S1/2/input_S1_2.nii.gz"
    assert nibabel.load(folder / rows[0]["path"]).shape == SHAPE
    assert not any("DICOM" in uri for uri in shelf.fetched)


async def test_a_project_without_images_has_an_empty_table(folder: Path) -> None:
    assert found(await gather(Shelf(), "p", folder)) == (0, 0, 0, {})
    assert (folder / "table.csv").read_text().strip() == "study,scan,path"


async def test_what_is_here_is_not_fetched_again_and_what_changed_is(
    shelf: Shelf, folder: Path, tmp_path: Path
) -> None:
    await gather(shelf, "p", folder)
    shelf.fetched.clear()
    await gather(shelf, "p", folder)
    assert shelf.fetched == []
    shelf.put("S2", "2", "NIFTI", "input_S2_2.nii.gz", nifti(tmp_path, np.ones(SHAPE, np.int16)))
    await gather(shelf, "p", folder)
    assert {uri.split("/")[5] for uri in shelf.fetched} == {"S2"}
    assert nibabel.load(folder / "images/S2/2/input_S2_2.nii.gz").get_fdata().max() == 1


async def test_a_study_that_left_the_project_leaves_the_folder(shelf: Shelf, folder: Path) -> None:
    await gather(shelf, "p", folder)
    shelf.files = {uri: content for uri, content in shelf.files.items() if "/S1/" not in uri}
    await gather(shelf, "p", folder)
    assert [path.name for path in (folder / "resources").iterdir()] == ["S2"]
    assert [path.name for path in (folder / "images").iterdir()] == ["S2"]


async def test_a_resource_that_breaks_off_is_never_seen(shelf: Shelf, folder: Path) -> None:
    fetch, broken = shelf.download, True

    async def download(uri: str, target: Path) -> None:
        if broken and uri.endswith("input_S1_3.nii.gz"):
            target.write_bytes(b"half")
            raise XnatUnreachableError("gone")
        await fetch(uri, target)

    shelf.download = download
    with pytest.raises(XnatUnreachableError):
        await gather(shelf, "p", folder)
    assert not (folder / "resources/S1/NIFTI").exists()
    broken = False
    assert found(await gather(shelf, "p", folder)) == (3, 0, 0, {})
    told = read_mark(folder / "resources/S1/NIFTI")
    assert told is not None
    assert told["count"] == 4
    assert not list((folder / "incoming").iterdir())


async def test_a_file_that_came_otherwise_than_listed_is_not_believed(shelf: Shelf, folder: Path) -> None:
    async def download(uri: str, target: Path) -> None:
        target.write_bytes(shelf.files[uri][:-1] + b"?")

    shelf.download = download
    with pytest.raises(XnatUnreachableError, match="changed"):
        await gather(shelf, "p", folder)


async def test_a_mark_that_is_damaged_counts_as_none(shelf: Shelf, folder: Path) -> None:
    await gather(shelf, "p", folder)
    (folder / "resources/S1/NIFTI" / MARK).write_text('{"cou')
    shelf.fetched.clear()
    await gather(shelf, "p", folder)
    assert len(shelf.fetched) == 4


async def test_labels_stand_beside_their_images_and_strays_are_counted(shelf: Shelf, folder: Path) -> None:
    shelf.put_table("labels.csv", "study,scan,label\nS1,2,t1\nS1,9,t1\nS7,2,t2\nS2,2,\n")
    dataset = await gather(shelf, "p", folder)
    assert found(dataset) == (3, 1, 0, {Flaw.UNKNOWN_SCAN: 1, Flaw.UNKNOWN_STUDY: 1})
    assert [row["label"] for row in table(folder)] == ["t1", "", ""]
    told = [str(problem) for problem in dataset.coverage.problems]
    assert told[0].startswith("labels.csv, study S1, scan 9: unknown_scan: name a scan")


async def test_a_mask_that_fits_stands_beside_its_image_under_flips_name(
    shelf: Shelf, folder: Path, tmp_path: Path
) -> None:
    shelf.put("S1", "2", "SEG", "drawn by ann.nii.gz", nifti(tmp_path, drawn(1, 2)))
    shelf.put("S1", "3", "NIFTI", "label_mine.nii.gz", nifti(tmp_path, drawn(1)))
    shelf.put("S2", "2", "LABELS", "organ.nii.gz", nifti(tmp_path, drawn(3)))
    assert found(await gather(shelf, "p", folder)) == (3, 0, 3, {})
    for row in table(folder):
        image, mask = folder / row["path"], folder / row["mask"]
        assert mask == image.with_name(image.name.replace("input_", "label_"))
        assert nibabel.load(mask).shape == nibabel.load(image).shape
    assert set(np.unique(nibabel.load(folder / "images/S1/2/label_S1_2.nii.gz").dataobj)) == {0, 1, 2}
    assert sorted(path.name for path in (folder / "images/S1/3").iterdir()) == [
        "input_S1_3.nii.gz", "label_S1_3.nii.gz",
    ]  # fmt: skip


def moved(mm: float) -> np.ndarray:
    affine = AFFINE.copy()
    affine[0, 3] += mm
    return affine


def turned_about() -> np.ndarray:
    affine = AFFINE.copy()
    affine[:, 0] *= -1
    return affine


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (lambda t: nifti(t, drawn(1), moved(0.4)), Flaw.GEOMETRY_DIFFERS),
        (lambda t: nifti(t, drawn(1), turned_about()), Flaw.GEOMETRY_DIFFERS),
        (lambda t: nifti(t, drawn(1, shape=(12, 10, 7))), Flaw.GEOMETRY_DIFFERS),
        (lambda t: nifti(t, drawn(7)), Flaw.LABEL_UNKNOWN),
        (lambda t: nifti(t, drawn(1) * -1.0), Flaw.LABEL_UNKNOWN),
        (lambda t: nifti(t, drawn(1) * 0.5), Flaw.LABEL_UNKNOWN),
        (lambda t: nifti(t, np.where(drawn(1) > 0, np.nan, 0.0)), Flaw.LABEL_UNKNOWN),
        (lambda t: nifti(t, drawn(1))[:90], Flaw.MASK_UNREADABLE),
        (lambda t: nifti(t, drawn(1))[:-30], Flaw.MASK_UNREADABLE),
        (lambda _: b"no image at all", Flaw.MASK_UNREADABLE),
        (lambda _: b"", Flaw.MASK_UNREADABLE),
    ],
)
async def test_a_mask_that_does_not_fit_is_left_out_by_name(
    content, flaw: Flaw, shelf: Shelf, folder: Path, tmp_path: Path
) -> None:
    shelf.put_table("labels.json", '{"0": "background", "1": "tumour", "2": "organ"}')
    shelf.put("S1", "2", "SEG", "wrong.nii.gz", content(tmp_path))
    shelf.put("S1", "3", "SEG", "right.nii.gz", nifti(tmp_path, drawn(1, 2)))
    dataset = await gather(shelf, "p", folder)
    assert found(dataset) == (3, 0, 1, {flaw: 1})
    (problem,) = dataset.coverage.problems
    assert (problem.file, problem.flaw) == ("S1/SEG/2/wrong.nii.gz", flaw)
    assert [bool(row["mask"]) for row in table(folder)] == [False, True, False]


async def test_a_second_mask_and_one_without_an_image_are_left_out(shelf: Shelf, folder: Path, tmp_path: Path) -> None:
    shelf.put("S1", "2", "SEG", "a.nii.gz", nifti(tmp_path, drawn(1)))
    shelf.put("S1", "2", "SEG", "b.nii.gz", nifti(tmp_path, drawn(2)))
    shelf.put("S1", "8", "SEG", "c.nii.gz", nifti(tmp_path, drawn(2)))
    shelf.put("S2", "2", "SEG", "no.dcm", b"\0" * 200)
    told = found(await gather(shelf, "p", folder))
    assert told == (3, 0, 1, {Flaw.SEVERAL_MASKS: 1, Flaw.UNKNOWN_SCAN: 1, Flaw.MASK_UNREADABLE: 1})


async def test_an_image_that_is_none_is_told_and_the_others_go_on(shelf: Shelf, folder: Path, tmp_path: Path) -> None:
    shelf.put("S1", "2", "NIFTI", "input_S1_2.nii.gz", b"damaged")
    shelf.put("S1", "2", "SEG", "a.nii.gz", nifti(tmp_path, drawn(1)))
    assert found(await gather(shelf, "p", folder))[3] == {Flaw.IMAGE_UNREADABLE: 1, Flaw.GEOMETRY_DIFFERS: 1}


async def gone() -> frozenset[str]:
    return frozenset({"S1"})


async def test_a_study_that_is_left_out_goes_with_all_that_was_brought_of_it(shelf: Shelf, folder: Path) -> None:
    shelf.put_table("labels.csv", "study,scan,label\nS1,2,t1\nS2,2,t2\n")
    frame = Covariates(("age",), {"S1": {"age": "50"}, "S2": {"age": "60"}})
    await gather(shelf, "p", folder, covariates=frame)
    assert {(row["study"], row["age"]) for row in table(folder)} == {("S1", "50"), ("S2", "60")}
    assert found(await gather(shelf, "p", folder, gone)) == (1, 1, 0, {})
    assert [(row["study"], row["age"], row["label"]) for row in table(folder)] == [("S2", "60", "t2")]
    left = [file for file in folder.rglob("*") if file.is_file()]
    assert not [file for file in left if "S1" in str(file) or b"S1" in file.read_bytes()[:4096]]


async def test_columns_of_the_query_stay_when_somebody_looks_at_the_labels(shelf: Shelf, folder: Path) -> None:
    await gather(shelf, "p", folder, covariates=Covariates(("age", "late"), {"S1": {"age": "50", "late": ""}}))
    await cover(shelf, "p", folder)
    assert {(row["study"], row["age"], row["late"]) for row in table(folder)} == {("S1", "50", ""), ("S2", "", "")}
    await gather(shelf, "p", folder, covariates=Covariates())
    assert "age" not in table(folder)[0]


async def test_a_column_of_the_query_that_the_labels_have_too_is_refused(shelf: Shelf, folder: Path) -> None:
    shelf.put_table("labels.csv", "study,scan,age\nS1,2,50\n")
    with pytest.raises(LabelsUnreadableError, match="both have a column age"):
        await gather(shelf, "p", folder, covariates=Covariates(("age",), {"S1": {"age": "50"}}))


async def test_coverage_tells_numbers_and_keeps_names(shelf: Shelf, folder: Path) -> None:
    shelf.put_table("labels.csv", "study,scan,label\nS1,2,t1\nSECRET,2,t2\n")
    told = await cover(shelf, "p", folder)
    assert (told.images, told.labelled, told.rejected) == (3, 1, {"unknown_study": 1})
    assert "SECRET" not in repr(told)


@pytest.mark.parametrize("bad", [b"", b"[1]", b'{"one": "x"}', b"\xff", b"3", b"[" * 100_000])
def test_a_list_of_values_that_is_none_is_refused_with_a_remedy(bad: bytes) -> None:
    with pytest.raises(LabelsUnreadableError, match=r"labels\.json must"):
        read_values(bad)


@pytest.mark.parametrize("label", ["..", ".", "", "a/b", "../../etc", "%2E", ".hidden", "A b"])
def test_no_label_leads_out_of_its_folder(label: str, tmp_path: Path) -> None:
    name = folder_name(label)
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert "/" not in name


def test_labels_have_names_of_their_own() -> None:
    labels = ["..", ".", "a/b", "a%2Fb", ".hidden", "%2Ehidden", "A b", "A%20b", "x"]
    assert len({folder_name(label) for label in labels}) == len(labels)


def test_corners_decide_whether_two_images_are_in_one_place() -> None:
    grid = Grid(SHAPE, AFFINE)
    assert Grid(SHAPE, AFFINE.astype(np.float32).astype(float)).is_at(grid)
    assert Grid(SHAPE, moved(0.03)).is_at(grid)
    assert not Grid(SHAPE, moved(0.05)).is_at(grid)
    stretched = AFFINE.copy()
    stretched[2, 2] *= 1.01
    assert not Grid(SHAPE, stretched).is_at(grid)


def test_labels_without_an_image_are_told_apart() -> None:
    problems = unmatched([("S1", "2"), ("S1", "3"), ("S2", "2")], [("S1", "2")], "labels.csv")
    assert [problem.flaw for problem in problems] == [Flaw.UNKNOWN_SCAN, Flaw.UNKNOWN_STUDY]
