"""De-identifies files: the part that a worker process runs."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom

from trust_node.imaging.deid.after import asks_for_pixels, is_idle
from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.fast import rewrite
from trust_node.imaging.deid.header import with_additions
from trust_node.imaging.deid.judged import judged, steady
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.original import parse
from trust_node.imaging.deid.pixels import Held, HoldReason
from trust_node.imaging.deid.plain import deidentify
from trust_node.imaging.deid.plan import DeidPlan, as_plan
from trust_node.imaging.deid.raw import OddEncodingError
from trust_node.imaging.deid.results import CleanFile, HeldFile, Leaked
from trust_node.imaging.deid.watched import refuse_leaks, watch, whose

log = logging.getLogger(__name__)

# pydicom's warnings quote the value they complain about, and that value may be a name.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE


_SERIES = 0x0020000E
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True)
class _Result:
    parts: Iterable[bytes | memoryview]
    instance: str
    study: str
    subject: str
    changes: tuple[Change, ...]
    series: str


def clean_files(originals: Sequence[Path], folder: Path, plan: DeidPlan | DeidKeys) -> list[CleanFile | HeldFile]:
    """De-identify each of `originals` into `folder`; twice is the same as once."""
    settled = as_plan(plan)
    return [clean_file(original, folder, settled) for original in originals]


def clean_file(original: Path, folder: Path, plan: DeidPlan | DeidKeys) -> CleanFile | HeldFile:
    """De-identify one file, check the result for leaks, and only then let it appear under its new UID."""
    data = original.read_bytes()
    try:
        result = _checked(data, as_plan(plan))
    except Leaked as leaked:
        return HeldFile(original, leaked.reason, leaked.places, _series(data))
    except Held as held:
        return HeldFile(original, held.reason, series=_series(data))
    target = folder / f"{_name(result.instance, as_plan(plan).keys)}.dcm"
    _write(target, result.parts)
    return CleanFile(target, result.study, result.subject, result.changes, result.series)


def _series(data: bytes) -> str:
    """Return the series' UID of a file that is held, empty where nobody can read it."""
    try:
        header = pydicom.dcmread(BytesIO(data), specific_tags=["SeriesInstanceUID"], stop_before_pixels=True)
        return str(header.get("SeriesInstanceUID") or "")
    except Exception as error:  # noqa: BLE001  hostile bytes break a parser in any way it knows
        log.warning("the series of a held file is unreadable: %s", type(error).__name__)
        return ""


def _name(instance: str, keys: DeidKeys) -> str:
    """Return a UID to name a file by; what a kept or scripted one may hold instead is no name for a file."""
    return instance if _UID.fullmatch(instance) else keys.uid(instance)


def _write(target: Path, parts: Iterable[bytes | memoryview]) -> None:
    part = target.with_suffix(".part")
    with part.open("wb", buffering=0) as file:
        for piece in parts:
            file.write(piece)
    part.replace(target)


def _checked(data: bytes, plan: DeidPlan) -> _Result:
    try:
        try:
            return _fast(data, plan)
        except OddEncodingError:
            return _plain(data, plan)
    except Held:
        raise
    except Exception as error:  # noqa: BLE001  hostile bytes break a parser in any way it knows, and must not stop a study
        # Only the class: a parser's message quotes what it could not parse.
        log.warning("held as unreadable: %s", type(error).__name__)
        raise Held(HoldReason.UNREADABLE) from None


def _fast(data: bytes, plan: DeidPlan) -> _Result:
    original = parse(data)
    shared = steady(original)
    judgement = judged(original, plan, shared)
    if judgement.reason is not None:
        raise Held(judgement.reason)
    if judgement.rectangles or asks_for_pixels(plan):
        raise OddEncodingError
    result = rewrite(original, plan)
    if not is_idle(plan):
        result = with_additions(result, original, plan)
    watch(original, result, plan, shared)
    return _Result(result.parts, result.instance, result.study, result.subject, result.changes, original.uid(_SERIES))


def _plain(data: bytes, plan: DeidPlan) -> _Result:
    dataset = pydicom.dcmread(BytesIO(data))
    series = str(dataset.get("SeriesInstanceUID") or "")
    forbidden = whose(dataset, plan)
    result = deidentify(dataset, plan)
    buffer = BytesIO()
    result.dataset.save_as(buffer, enforce_file_format=True)
    instance, written = str(result.dataset.SOPInstanceUID), buffer.getvalue()
    refuse_leaks(forbidden, written)
    return _Result((written,), instance, result.study, result.subject, result.changes, series)
