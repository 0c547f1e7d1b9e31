"""Results are still valid DICOM: `dciodvfy` (dicom3tools) finds no error that the original did not have."""

import re
import shutil
import subprocess
from pathlib import Path

import data_store
import pydicom
import pytest
from pydicom.data import get_testdata_file

from trust_node.imaging.deid import CleanFile, DeidKeys, DeidPlan, Option, clean_file
from trust_node.imaging.deid.pixels import HoldReason, PixelRules
from trust_node.imaging.deid.rules import Profile

pytestmark = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")

KEYS = DeidKeys(bytes(range(32)))
EVERYTHING = PixelRules(released=frozenset(HoldReason), devices=())
FOLDERS = [Path(str(get_testdata_file("MR_small.dcm"))).parent, Path(data_store.__file__).parent]
PLANS = {
    "default": DeidPlan(KEYS, pixel_rules=EVERYTHING),
    "basic": DeidPlan(KEYS, Profile(frozenset()), EVERYTHING),
    "clean": DeidPlan(KEYS, Profile(frozenset(option for option in Option if option.startswith("clean"))), EVERYTHING),
    "retain": DeidPlan(
        KEYS, Profile(frozenset(option for option in Option if option.startswith("retain"))), EVERYTHING
    ),
}
# What an error is about, without the values that it quotes.
QUOTED = re.compile(r"= <[^>]*>|'.'|\(0x[0-9a-f]{2}\)")


def samples() -> dict[str, Path]:
    """Return one readable file of each kind of object, encoding and maker."""
    found: dict[tuple[str, ...], Path] = {}
    for path in sorted(path for folder in FOLDERS for path in folder.rglob("*.dcm") if path.stat().st_size < 2**19):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            kind = (header.SOPClassUID, header.file_meta.TransferSyntaxUID, str(header.get("Manufacturer")))
            named = header.get("StudyInstanceUID") and header.get("SOPInstanceUID")
            if named and not header.file_meta.TransferSyntaxUID.is_deflated:  # dciodvfy inflates nothing
                found.setdefault(kind, path)
        except (pydicom.errors.InvalidDicomError, AttributeError, ValueError, KeyError):
            continue
    return {path.name: path for path in found.values()}


def errors(path: Path) -> set[str]:
    said = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, check=False)
    lines = said.stderr.decode("latin-1").splitlines()
    # The file meta information repeats the instance's UID, faults included.
    told = (line.replace("MediaStorageSOPInstanceUID(0002,0003)", "SOPInstanceUID(0008,0018)") for line in lines)
    return {QUOTED.sub("", line) for line in told if line.startswith("Error")}


SAMPLES = samples()


def test_there_are_many_kinds_of_samples() -> None:
    assert len(SAMPLES) > 50


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("plan", PLANS)
def test_no_new_errors(plan: str, tmp_path: Path) -> None:
    worse, tried = {}, 0
    for name, path in SAMPLES.items():
        result = clean_file(path, tmp_path, PLANS[plan])
        if isinstance(result, CleanFile):
            tried += 1
            if new := errors(result.path) - errors(path):
                worse[name] = sorted(new)
    assert tried > 40
    assert worse == {}
