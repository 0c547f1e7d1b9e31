"""PS3.15 table E.1-1, edition 2026c, as data: what the Basic Profile and each option do to each attribute.

The column `basis` of `profile.csv` says in which edition the option columns of a row were read; the basic codes are
those of 2026c throughout.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal, cast

BasicCode = Literal["X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"]
OptionCode = Literal["K", "C"]

EDITION = "2026c"
TABLES = ("profile.csv", "types.csv", "private.csv", "words.txt")
_NOT_OPTIONS = frozenset({"tag", "keyword", "basic", "basis"})


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute: its basic code, and what an option puts in its place, by the option's column."""

    basic: BasicCode
    options: Mapping[str, OptionCode]


def read_csv(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a data file of this package."""
    text = files(__package__).joinpath(name).read_text(encoding="ascii")
    yield from csv.DictReader(text.splitlines())


@cache
def tables_digest() -> str:
    """Return the SHA-256 of all data that decisions are made of: another edition is another plan."""
    folder = files(__package__)
    return sha256(b"".join(folder.joinpath(name).read_bytes() for name in TABLES)).hexdigest()


@cache
def rows() -> Mapping[str, Row]:
    """Return the table by tag: 8 hexadecimal digits, `X` where a group repeats (`60XX3000`)."""
    return {row["tag"]: _row(row) for row in read_csv("profile.csv")}


@cache
def basic_profile() -> Mapping[str, BasicCode]:
    """Return the basic codes by tag, written as in `rows`."""
    return {tag: row.basic for tag, row in rows().items()}


def attribute(tag: int) -> Row | None:
    """Return the row of `tag` (group and element in 32 bits), None where the table does not list it.

    The repeating groups (curves, overlays) are not found here: `actions.Rules` removes them whole.
    """
    return rows().get(f"{tag:08X}")


def basic_code(tag: int) -> BasicCode | None:
    """Return the Basic Profile's code for `tag`, None where it is not listed."""
    row = attribute(tag)
    return None if row is None else row.basic


def _row(cells: Mapping[str, str]) -> Row:
    options = {column: code for column, code in cells.items() if code and column not in _NOT_OPTIONS}
    return Row(cast("BasicCode", cells["basic"]), cast("dict[str, OptionCode]", options))
