"""The tables of PS3.3 as `highdicom` carries them."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def standard(name: str) -> Any:
    """Return one of them by the name of its file."""
    return json.loads(files("highdicom").joinpath(f"_standard/{name}.json").read_text())
