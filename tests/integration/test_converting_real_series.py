"""Real series come out of both converters as the same image."""

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from infra.federation import ROOT
from tests.unit.imaging.conversion.test_plain import agree
from trust_node.imaging.conversion.plain import as_volume
from trust_node.imaging.conversion.series import read_series

pytestmark = pytest.mark.integration

CACHED = [folder for folder in sorted((ROOT / "build" / "cache" / "slices").glob("*")) if folder.is_dir()]
UNEVEN = {"case001-2", "case001-8", "case001-10"}
"""Their gaps differ by 1 %: dcm2niix's."""


@pytest.mark.skipif(not CACHED, reason="the demo has not fetched its images yet")
@pytest.mark.parametrize("series", CACHED, ids=lambda folder: folder.name)
def test_a_series_of_the_demo(series: Path, tmp_path: Path) -> None:
    if series.name in UNEVEN:
        assert as_volume(read_series(series)) is None
    else:
        assert agree(series, tmp_path)


def test_a_ct_of_pydicom(tmp_path: Path) -> None:
    series = tmp_path / "dicom"
    series.mkdir()
    for file in Path(get_testdata_file("dicomdirtests/98892001/CT5N/2062")).parent.iterdir():
        (series / f"{file.name}.dcm").symlink_to(file)
    assert agree(series, tmp_path)
