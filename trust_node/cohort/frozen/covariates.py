"""The columns that a training frame adds to the table of a project's images, by study; they stay in the trust."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

FILE = "covariates.json"


@dataclass(frozen=True, slots=True)
class Covariates:
    """`columns`: in the query's order. `rows`: their values as text by the study's pseudonym in the archive."""

    columns: tuple[str, ...] = ()
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def without(self, studies: frozenset[str]) -> Self:
        return type(self)(self.columns, {study: row for study, row in self.rows.items() if study not in studies})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return what the last run of the project was given, nothing if there was none."""
        try:
            told = json.loads((folder / FILE).read_bytes())
        except FileNotFoundError:
            return cls()
        return cls(tuple(told["columns"]), told["rows"])

    def write(self, folder: Path) -> None:
        """Keep them beside the images: the table is written anew whenever somebody looks at the labels."""
        if not self.columns:
            (folder / FILE).unlink(missing_ok=True)
            return
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{FILE}.part"
        part.write_text(json.dumps({"columns": self.columns, "rows": self.rows}))
        part.replace(folder / FILE)
