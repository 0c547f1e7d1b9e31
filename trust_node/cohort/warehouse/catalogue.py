"""What a warehouse holds, as its views tell: tables, columns, versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`cdm_version` is the warehouse's own word, or what its tables show; `vocabulary_version` may be unknown."""

    tables: Mapping[str, frozenset[str]]
    cdm_version: str
    vocabulary_version: str | None
    server_version: str

    @classmethod
    def of(cls, columns: Iterable[tuple[str, str]], release: Mapping[str, str | None], server: str) -> Self:
        tables: dict[str, set[str]] = {}
        for table, column in columns:
            tables.setdefault(table, set()).add(column)
        frozen = {table: frozenset(names) for table, names in tables.items()}
        vocabulary = release.get("vocabulary") or release.get("vocabulary of the source")
        return cls(frozen, release.get("cdm") or _shown(frozen), vocabulary, server)


def _shown(tables: Mapping[str, frozenset[str]]) -> str:
    """CDM 5.4 brought episodes; what 5.5 adds, no query may name."""
    return "5.4 or later" if "episode" in tables else "5.3"
