"""Versions of what did the work, for the record of a run."""

from functools import cache
from importlib.metadata import version

NAMED = ("trustflow", "torch", "pydicom", "pynetdicom", "numpy")


@cache
def versions() -> dict[str, str]:
    return {name: version(name) for name in NAMED}
