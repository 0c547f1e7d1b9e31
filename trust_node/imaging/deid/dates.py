"""Moves DICOM dates and date-times into the past, in the precision they came in (PS3.5 6.2)."""

import re
from datetime import date, timedelta

# YYYY[MM[DD]], the dotted form of ACR-NEMA, then a DT's time and offset.
_DATE = re.compile(r"(\d{4})\.?(\d\d)?\.?(\d\d)?([\d.]*(?:[+-]\d{4})?)")
_TIME = re.compile(r"[\d:. -]*")
UNREADABLE = {"DA": "19000101", "DT": "19000101000000", "TM": "000000"}


def shift(value: str, vr: str, days: int) -> str:
    """Return `value` moved `days` days into the past; times of day stay, so series keep their order.

    What is no date at all (free text in a date element is an old way to hide a name) becomes a dummy.
    """
    text = value.strip(" \0")
    if not text:
        return ""
    if vr == "TM":
        return text if _TIME.fullmatch(text) else UNREADABLE[vr]
    try:
        return _moved(text, days)
    except (ValueError, OverflowError):
        return UNREADABLE[vr]


def _moved(text: str, days: int) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a DICOM date")
    year, month, day, rest = match.groups()
    moved = date(int(year), int(month or 1), int(day or 1)) - timedelta(days=days)
    parts = (f"{moved.year:04}", month and f"{moved.month:02}", day and f"{moved.day:02}", rest)
    return "".join(part or "" for part in parts)
