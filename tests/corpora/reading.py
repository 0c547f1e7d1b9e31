"""The corpora of cohort queries: `good/<kind>.sql` all to be accepted, `hostile/<class>.sql` all to be refused.

A query begins with a line of `-->`; for a good one its title follows, for a hostile one the code that refuses it.
`<<text*30>>` stands for the text 30 times over, and `<u200b>` for a character that would not show.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_REPEATED = re.compile(r"<<(.*?)\*(\d+)>>", re.DOTALL)
_CHARACTER = re.compile(r"<u([0-9a-f]{4})>")


@dataclass(frozen=True, slots=True)
class Sample:
    """A query; `group` is its file. `says`: its title, or the code that refuses it."""

    group: str
    says: str
    sql: str

    def __str__(self) -> str:
        return f"{self.group}-{self.says}".replace(" ", "-")


def good() -> list[Sample]:
    return _corpus("good")


def hostile() -> list[Sample]:
    return _corpus("hostile")


def _corpus(folder: str) -> list[Sample]:
    return [sample for file in sorted((FOLDER / folder).glob("*.sql")) for sample in _samples(file)]


def _samples(file: Path) -> list[Sample]:
    entries = file.read_text(encoding="utf-8").split("--> ")[1:]
    titled = [entry.partition("\n") for entry in entries]
    return [Sample(file.stem, title, _plain(sql.removesuffix("\n"))) for title, _, sql in titled]


def _plain(written: str) -> str:
    repeated = _REPEATED.sub(lambda found: found[1] * int(found[2]), written)
    return _CHARACTER.sub(lambda found: chr(int(found[1], 16)), repeated)
