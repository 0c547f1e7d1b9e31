"""De-identifies files: the part that a worker process runs."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom

from trust_node.imaging.deid.plain import DeidResult, deidentify
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.leaks import identity, leaks
from trust_node.imaging.deid.screen import Held, HoldReason

log = logging.getLogger(__name__)

# pydicom's warnings quote the value they complain about, and that value may be a name.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE


@dataclass(frozen=True, slots=True)
class CleanFile:
    """One de-identified file and the pseudonyms in it."""

    path: Path
    study: str
    subject: str


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One original that waits for a person of the trust."""

    original: Path
    reason: HoldReason


def clean_files(originals: Sequence[Path], folder: Path, keys: DeidKeys) -> list[CleanFile | HeldFile]:
    """De-identify each of `originals` into `folder`; twice is the same as once."""
    return [clean_file(original, folder, keys) for original in originals]


def clean_file(original: Path, folder: Path, keys: DeidKeys) -> CleanFile | HeldFile:
    """De-identify one file, check the result for leaks, and only then let it appear under its new UID."""
    try:
        result, encoded = _checked(original, keys)
    except Held as held:
        return HeldFile(original, held.reason)
    target = folder / f"{result.dataset.SOPInstanceUID}.dcm"
    part = target.with_suffix(".part")
    part.write_bytes(encoded)
    part.replace(target)
    return CleanFile(target, result.study, result.subject)


def _checked(original: Path, keys: DeidKeys) -> tuple[DeidResult, bytes]:
    raw = original.read_bytes()
    try:
        dataset = pydicom.dcmread(BytesIO(raw))
        forbidden = identity(dataset)
        result = deidentify(dataset, keys)
        encoded = _encoded(result.dataset)
    except Held:
        raise
    except Exception as error:  # noqa: BLE001  hostile bytes break a parser in any way it knows, and must not stop a study
        # Only the class: a parser's message quotes what it could not parse.
        log.warning("held as unreadable: %s", type(error).__name__)
        raise Held(HoldReason.UNREADABLE) from None
    if leaks(forbidden, result.dataset):
        raise Held(HoldReason.LEAK)
    return result, encoded


def _encoded(dataset: pydicom.FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
