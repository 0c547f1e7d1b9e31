"""Every test picture of pydicom and pydicom-data that can be decoded."""

from functools import cache
from io import BytesIO
from pathlib import Path

import data_store
import pydicom
from pydicom import FileDataset

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
MOST_PIXELS = 500_000  # larger ones show nothing that smaller ones don't, and take their time


def _decodes(path: Path) -> bool:
    try:
        dataset = pydicom.dcmread(path)
        if (
            not dataset.get("Rows")
            or dataset.Rows * dataset.Columns * int(dataset.get("NumberOfFrames") or 1) > MOST_PIXELS
        ):
            return False
        decoded(dataset)
        dataset.save_as(BytesIO(), enforce_file_format=True)
    except Exception:  # noqa: BLE001  some of the samples are broken on purpose
        return False
    return True


def decoded(dataset: FileDataset):
    """All frames as stored, colours not converted: frames x rows x columns x samples."""
    from pydicom.pixels.decoders.base import get_decoder

    array, facts = get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(dataset, raw=True)
    return array.reshape(facts["number_of_frames"], dataset.Rows, dataset.Columns, -1)


def every_file() -> list[Path]:
    """Looked up by ourselves: pydicom's own search takes the checksum of each file first."""
    folders = (Path(pydicom.__file__).parent / "data" / "test_files", Path(data_store.__file__).parent / "data")
    return sorted(path for folder in folders for path in folder.rglob("*.dcm"))


@cache
def pictures() -> list[Path]:
    return [path for path in every_file() if _decodes(path)]
