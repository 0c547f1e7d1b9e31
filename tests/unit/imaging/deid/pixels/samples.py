"""Every test picture of pydicom and pydicom-data that can be decoded."""

from pathlib import Path

import pydicom
from pydicom import FileDataset
from pydicom.data import get_testdata_files

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
MOST_PIXELS = 6_000_000  # the largest cine would take seconds by itself


def _decodes(path: Path) -> bool:
    try:
        dataset = pydicom.dcmread(path)
        if (
            not dataset.get("Rows")
            or dataset.Rows * dataset.Columns * int(dataset.get("NumberOfFrames") or 1) > MOST_PIXELS
        ):
            return False
        decoded(dataset)
    except Exception:  # noqa: BLE001  some of the samples are broken on purpose
        return False
    return True


def decoded(dataset: FileDataset):
    """All frames as stored, colours not converted: frames x rows x columns x samples."""
    from pydicom.pixels.decoders.base import get_decoder

    array, facts = get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(dataset, raw=True)
    return array.reshape(facts["number_of_frames"], dataset.Rows, dataset.Columns, -1)


def pictures() -> list[Path]:
    return [path for path in map(Path, sorted(get_testdata_files("*.dcm"))) if _decodes(path)]
