"""Reasons for which a study stays where it is, each a small file in its folder."""

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

LEGAL = "legal"
"""A legal hold: neither the quota nor the end of a project removes the study."""
REVIEW = "review"
"""A person has to decide on some of its images; only the end of its last project removes it before that."""


class Pin(BaseModel):
    """Who wanted it kept, why, and since when."""

    model_config = ConfigDict(frozen=True)

    by: str
    reason: str
    at: datetime


def pins(folder: Path) -> dict[str, Pin]:
    return {file.stem: Pin.model_validate_json(file.read_bytes()) for file in (folder / "pins").glob("*.json")}


def put_pin(folder: Path, kind: str, pin: Pin) -> None:
    target = folder / "pins" / f"{kind}.json"
    target.parent.mkdir(exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(pin.model_dump_json())
    part.replace(target)


def pull_pin(folder: Path, kind: str) -> bool:
    """Tell whether there was one."""
    try:
        (folder / "pins" / f"{kind}.json").unlink()
    except FileNotFoundError:
        return False
    return True
