"""Every revision of every schema, for ever: `<type>.json` is the newest, `earlier/<type>/<n>.json` are the others.

Only an edit that old and new readers both survive makes a revision; where only texts for people changed, the newest
is written again.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from infra.contract.compatibility import forbidden, rules
from infra.contract.language import Schema, type_of


class ForbiddenEdit(Exception):
    """A message changed in a way that its readers would not survive; one sentence a line, each with its remedy."""


@dataclass(frozen=True, slots=True)
class Revisions:
    folder: Path

    def newest(self, type_: str) -> Path:
        return self.folder / f"{type_}.json"

    def types(self) -> tuple[str, ...]:
        """Every type that was ever published."""
        return tuple(sorted(file.stem for file in self.folder.glob("*.json")))

    def of(self, type_: str) -> tuple[Schema, ...]:
        """Return every revision, oldest first."""
        files = (*self._earlier(type_), *([self.newest(type_)] if self.newest(type_).exists() else ()))
        return tuple(json.loads(file.read_text()) for file in files)

    def forbidden(self, described: Schema) -> list[str]:
        """Compare with every revision, not only with the last: what may be done twice may be forbidden at once."""
        sentences = (edit for revision in self.of(type_of(described)) for edit in forbidden(revision, described))
        return list(dict.fromkeys(sentences))

    def publish(self, schemas: Iterable[Schema]) -> None:
        """Write what is new or has changed.

        Raises
        ------
        ForbiddenEdit
            nothing was written.
        """
        schemas = tuple(schemas)
        if sentences := [sentence for described in schemas for sentence in self.forbidden(described)]:
            raise ForbiddenEdit("\n".join(sentences))
        self.folder.mkdir(parents=True, exist_ok=True)
        for described in schemas:
            self._write(described)

    def _write(self, described: Schema) -> None:
        type_ = type_of(described)
        file, revisions = self.newest(type_), self.of(type_)
        if revisions and rules(revisions[-1]) != rules(described):
            earlier = self.folder / "earlier" / type_ / f"{len(revisions)}.json"
            earlier.parent.mkdir(parents=True, exist_ok=True)
            file.rename(earlier)
        file.write_text(json.dumps(described, indent=2) + "\n")

    def _earlier(self, type_: str) -> list[Path]:
        return sorted((self.folder / "earlier" / type_).glob("*.json"), key=lambda file: int(file.stem))


def forbidden_steps(revisions: Iterable[Schema]) -> list[str]:
    """Sentences about what was published already: each revision is held to each that came before it."""
    return [sentence for old, new in combinations(revisions, 2) for sentence in forbidden(old, new)]
