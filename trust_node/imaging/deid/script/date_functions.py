"""Functions of DicomEdit that move dates and scale ages."""

import re
from collections.abc import Sequence
from datetime import timedelta

from trust_node.imaging.deid.script.elements import read
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.finding import Found, element_at
from trust_node.imaging.deid.script.frame import Frame, Known
from trust_node.imaging.deid.script.moments import moment, shift
from trust_node.imaging.deid.script.paths import TagPath, parse_path

Arguments = Sequence[Known]

OLDEST_AGE_YEARS = 89  # ages above are identifying by HIPAA's Safe Harbor
_DAYS_OF_OLDEST = 32_506  # 89 years of 365.24 days
_AGE = re.compile(r"(\d{3})([DWMY])")
_BIRTH_DATE, _AGE_TAG, _STUDY_DATE = 0x00100030, 0x00101010, 0x00080020


def shift_date(frame: Frame, arguments: Arguments) -> Known:
    return _shifted(frame, arguments, {"DA"}, "days")


def shift_date_time(frame: Frame, arguments: Arguments) -> Known:
    return _shifted(frame, arguments, {"DA", "DT"}, "seconds")


def shift_list(frame: Frame, arguments: Arguments) -> Known:
    """Shift elements in place: paths, amount, unit (seconds by default)."""
    unit = _unit(frame, arguments, "seconds")
    _shift_all(frame, frame.paths(arguments[0]), frame.integer(arguments[1]), unit)
    return None


def shift_sequence(frame: Frame, arguments: Arguments) -> Known:
    """Shift elements in place by seconds: amount, paths."""
    paths = [path for argument in arguments[1:] for path in frame.paths(argument)]
    _shift_all(frame, paths, frame.integer(arguments[0]), "seconds")
    return None


def scale_age(frame: Frame, _: Arguments) -> Known:
    """Make nobody older than 89: ages become 089Y, birth dates move to 89 years before the study, at every depth."""
    by = _too_old_by(frame)
    if by > timedelta():
        for found in frame.find(_everywhere("(0010,0030)")):
            _shift_one(frame, found, by.days, "days")
    if _years(frame) > OLDEST_AGE_YEARS:
        for found in frame.find(_everywhere("(0010,1010)")):
            frame.write(found, f"{OLDEST_AGE_YEARS:03}Y", "scale")
    return None


def _shifted(frame: Frame, arguments: Arguments, allowed: set[str], unit: str) -> str | None:
    value = arguments[0]
    if isinstance(value, TagPath):
        _reject_others(frame, value, allowed)
    text = frame.text(value)
    amount, unit = frame.integer(arguments[1]), _unit(frame, arguments, unit)
    try:
        return "\\".join(shift(part, amount, unit) if part else "" for part in text.split("\\")) if text else text
    except CannotError as error:
        raise CannotError(f"{value}: {error}" if isinstance(value, TagPath) else str(error)) from None


def _reject_others(frame: Frame, path: TagPath, allowed: set[str]) -> None:
    for found in frame.find(path):
        if element_at(found.owner, found.tag).VR not in allowed:
            raise CannotError(
                f"{found.path}: only {' and '.join(sorted(allowed))} elements can be shifted by this function"
            )


def _unit(frame: Frame, arguments: Arguments, default: str) -> str:
    return (frame.text(arguments[2]) or "") if len(arguments) > 2 else default  # noqa: PLR2004  the third argument


def _shift_all(frame: Frame, paths: Sequence[TagPath], amount: int, unit: str) -> None:
    found = {(id(one.owner), one.tag): one for path in paths for one in frame.find(path)}
    for one in found.values():
        _shift_one(frame, one, amount, unit)


def _shift_one(frame: Frame, found: Found, amount: int, unit: str) -> None:
    text = frame.text_at(found)
    if not text:
        return
    if element_at(found.owner, found.tag).VR == "TM":
        raise CannotError(f"{found.path}: a time of day has no date to shift; only DA and DT elements have")
    try:
        moved = [shift(part, amount, unit) if part else "" for part in text.split("\\")]
    except CannotError as error:
        raise CannotError(f"{found.path}: {error}") from None
    frame.write(found, "\\".join(moved), "shift")


def _too_old_by(frame: Frame) -> timedelta:
    born, studied = read(frame.dataset, _BIRTH_DATE), read(frame.dataset, _STUDY_DATE)
    if not born or not studied:
        return timedelta()
    age = moment(studied).middle - moment(born).middle
    return timedelta(days=age.days - _DAYS_OF_OLDEST)


def _years(frame: Frame) -> int:
    text = read(frame.dataset, _AGE_TAG)
    if not text:
        return 0
    match = _AGE.fullmatch(text)
    if match is None:
        raise CannotError("(0010,1010): an age is three digits and D, W, M or Y")
    return int(match[1]) if match[2] == "Y" else 0


def _everywhere(tag: str) -> TagPath:
    return parse_path(f"*/{tag}")
