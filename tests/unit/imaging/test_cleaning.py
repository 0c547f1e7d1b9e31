"""What of a study is given out while some of its images wait."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from trust_node.imaging.cleaning import Cleaned, clean_study
from trust_node.imaging.deid import DeidKeys
from trust_node.imaging.deid.plan import as_plan
from trust_node.imaging.holds import Reviewed

PLAN = as_plan(DeidKeys(bytes(range(32))))


def study(folder: Path) -> list[Path]:
    """Two series of two slices; one slice of the first says that text is burned in."""
    files, uid = [], generate_uid()
    for number in range(4):
        image = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        image.StudyInstanceUID, image.SeriesInstanceUID = uid, f"{uid}.{number // 2 + 1}"
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        if number == 1:
            image.BurnedInAnnotation = "YES"
        files.append(folder / f"{number}.dcm")
        image.save_as(files[-1])
    return files


async def cleaned(folder: Path, reviewed: Reviewed) -> Cleaned:
    with ThreadPoolExecutor(1) as pool:
        return await clean_study(pool, PLAN, study(folder), folder, reviewed)


async def test_a_series_of_which_an_image_waits_waits_whole(tmp_path: Path) -> None:
    result = await cleaned(tmp_path, Reviewed({}, frozenset()))
    assert result.held == [("1.dcm", "burned_in_annotation")]
    assert {file.series[-2:] for file in result.clean} == {".2"}
    assert len(result.clean) == 2


async def test_released_it_goes_whole(tmp_path: Path) -> None:
    result = await cleaned(tmp_path, Reviewed({"1.dcm": frozenset({"burned_in_annotation"})}, frozenset()))
    assert (len(result.clean), result.held) == (4, [])


async def test_without_what_was_rejected_it_goes(tmp_path: Path) -> None:
    result = await cleaned(tmp_path, Reviewed({}, frozenset({"1.dcm"})))
    assert (len(result.clean), result.held) == (3, [])
