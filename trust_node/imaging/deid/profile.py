"""PS3.15 table E.1-1, edition 2026c, as data: what the Basic Profile does to each attribute."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, cast

BasicCode = Literal["X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"]

EDITION = "2026c"


@cache
def basic_profile() -> Mapping[str, BasicCode]:
    """Return the table's codes by tag: 8 hexadecimal digits, `X` where a group repeats (`60XX3000`)."""
    text = files(__package__).joinpath("profile.csv").read_text(encoding="ascii")
    return {row["tag"]: cast("BasicCode", row["basic"]) for row in csv.DictReader(text.splitlines())}


def basic_code(tag: int) -> BasicCode | None:
    """Return the Basic Profile's code for `tag` (group and element in 32 bits), None where it is not listed.

    The repeating groups (curves, overlays) are not found here: `actions.decide` removes them whole.
    """
    return basic_profile().get(f"{tag:08X}")
