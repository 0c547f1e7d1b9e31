"""One text that is judged and run: the schema in front of table names and a closing LIMIT are cut out of it.

Cuts are made in the bytes, so that everything else stays as it was written; places are told in the text as given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import postgast

from schemas.sql.allowed import SCHEMA
from schemas.sql.refusal import RefusalCode, RefusedQueryError

_QUALIFIED_PARTS = 3
_FIRST_CHARACTER = (1, 1)
_PARTS_OF_NAMES = b"_$" + bytes(range(128, 256))


@dataclass(frozen=True, slots=True)
class Cut:
    """Bytes of a text that another byte string takes the place of."""

    start: int
    end: int
    filler: bytes = b""


@dataclass(frozen=True, slots=True)
class Source:
    """`text` came of `given` by `cuts`, which are in order and do not overlap."""

    given: str
    text: str
    cuts: tuple[Cut, ...] = ()

    def place(self, at: int | None) -> tuple[int, int]:
        """Return line and column, from 1, in the text as given, of a byte of `text`."""
        if at is None:
            return _FIRST_CHARACTER
        before = self.given.encode("utf-8", "replace")[: self._in_given(at)].decode("utf-8", "replace")
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    def qualified(self, at: int, qualifier: str) -> "Source":
        """Return the source with a table's name in front of a column that stands at byte `at` of `text`."""
        place, quoted = self._in_given(at), '"' + qualifier.replace('"', '""') + '".'
        return cut_out(self.given, [*self.cuts, Cut(place, place, quoted.encode())])

    def _in_given(self, at: int) -> int:
        for cut in self.cuts:
            if at > cut.start:
                at += cut.end - cut.start - len(cut.filler)
        return at


def cut_out(given: str, cuts: list[Cut]) -> Source:
    """Return the text without these bytes."""
    encoded, kept, done = given.encode(), b"", 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        kept += encoded[done : cut.start] + cut.filler
        done = cut.end
    return Source(given, (kept + encoded[done:]).decode(), tuple(sorted(cuts, key=lambda cut: cut.start)))


def qualifiers(tree: Any, encoded: bytes, words: list[Any]) -> list[Cut]:
    """Return where `omop.` stands in front of tables, and of tables in front of columns."""
    starts = {word.start: place for place, word in enumerate(words)}
    return [_qualifier(starts[at], encoded, words) for at in _qualified(tree) if at in starts]


def _qualified(root: Any) -> Iterator[int]:
    for _, node in postgast.walk(root):
        match node.DESCRIPTOR.name:
            case "RangeVar" if node.schemaname == SCHEMA and not node.catalogname:
                yield node.location
            case "ColumnRef" if len(node.fields) == _QUALIFIED_PARTS and node.fields[0].string.sval == SCHEMA:
                yield node.location


def _qualifier(place: int, encoded: bytes, words: list[Any]) -> Cut:
    start, end = words[place].start, words[place + 2].start
    # FROM"omop".person would become one word.
    glued = start > 0 and (encoded[start - 1 : start].isalnum() or encoded[start - 1] in _PARTS_OF_NAMES)
    return Cut(start, end, b" " if glued else b"")


def limit_of(select: Any, words: list[Any]) -> tuple[int, Cut]:
    """Return the number of a closing LIMIT or FETCH FIRST, and the bytes of the clause."""
    constant = select.limit_count.a_const
    at = next((place for place, word in enumerate(words) if word.start == constant.location), 0)
    before = [_token(word) for word in words[max(at - 2, 0) : at]]
    if not constant.HasField("ival") or not at:
        raise _not_a_number(constant.location)
    if before[-1:] == ["LIMIT"]:
        return constant.ival.ival, Cut(words[at - 1].start, words[at].end)
    last = [_token(word) for word in words[at + 1 : at + 3]]
    if before[:1] == ["FETCH"] and last[-1:] == ["ONLY"]:
        return constant.ival.ival, Cut(words[at - 2].start, words[at + 2].end)
    raise _not_a_number(constant.location)


def _token(word: Any) -> str:
    return str(postgast.pg_query_pb2.Token.Name(word.token))


def _not_a_number(at: int) -> RefusedQueryError:
    return RefusedQueryError(RefusalCode.LIMIT, "LIMIT takes a plain number.", at)
