"""Reads regular expressions and makes programs of them."""

import re
from dataclasses import dataclass

from trust_node.imaging.deid.script.programs import WORD, Accept, Assert, Code, Instruction, PatternError, Program, Take

LONGEST_PATTERN = 1024
MOST_REPEATS = 1000
DEEPEST = 32

_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_DIGITS = frozenset("0123456789")
_SPACE = frozenset(" \t\n\r\f\v")
_CLASSES = {"d": _DIGITS, "w": WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


@dataclass(slots=True)
class _Reader:
    pattern: str
    at: int = 0
    groups: int = 0
    depth: int = 0
    fold: bool = False

    @property
    def next(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def takes(self, sign: str) -> bool:
        found = self.pattern.startswith(sign, self.at)
        self.at += len(sign) * found
        return found

    def take(self) -> str:
        if not self.next:
            raise PatternError("the pattern ends too early")
        self.at += 1
        return self.pattern[self.at - 1]

    def alternatives(self) -> Code:
        code = self.sequence()
        while self.takes("|"):
            code = code.either(self.sequence())
        return code

    def sequence(self) -> Code:
        code = Code()
        while self.next and self.next not in "|)":
            code = code.then(self.repeated())
        return code

    def repeated(self) -> Code:
        atom = self.atom()
        low, high = self._count()
        if (low, high) == (1, 1):
            return atom
        if self.next == "+":
            raise PatternError("possessive repeats (*+, ++, ?+) are left out; use greedy ones")
        repeated = atom.repeated(low, high, lazy=self.takes("?"))
        if self.next and self.next in "*+?":
            raise PatternError("nothing to repeat: two repeats follow each other")
        return repeated

    def _count(self) -> tuple[int, int | None]:
        for sign, limits in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.takes(sign):
                return limits
        match = _COUNT.match(self.pattern, self.at)
        if match is None:
            return 1, 1
        self.at = match.end()
        low = int(match[1][:9])
        high = low if match[2] is None else int(match[3][:9]) if match[3] else None
        if low > MOST_REPEATS or (high is not None and not low <= high <= MOST_REPEATS):
            raise PatternError(f"repeats: at most {MOST_REPEATS}, the smaller number first")
        return low, high

    def atom(self) -> Code:
        character = self.take()
        match character:
            case "(":
                return self.group()
            case "[":
                return Code((self.bracket(),))
            case ".":
                return Code((Take(frozenset("\n"), negated=True),))
            case "^" | "$":
                return Code((Assert(character),))
            case "\\":
                return Code((self.escape(),))
            case "*" | "+" | "?":
                raise PatternError(f"nothing to repeat before {character}")
        return self.literal(character)

    def literal(self, character: str) -> Code:
        return Code((Take(frozenset(character), fold=self.fold),))

    def group(self) -> Code:
        self.depth += 1
        if self.depth > DEEPEST:
            raise PatternError(f"groups go at most {DEEPEST} deep")
        number = self._group_number()
        code = self.alternatives()
        if not self.takes(")"):
            raise PatternError("a group is never closed; add )")
        self.depth -= 1
        return code if number is None else code.saved(number)

    def _group_number(self) -> int | None:
        if self.takes("?:"):
            return None
        if self.next == "?":
            raise PatternError("only (?:…) may follow (?; looking around and named groups are left out")
        self.groups += 1
        return self.groups

    def escape(self) -> Instruction:
        character = self.take()
        if character in "bB":
            return Assert(character)
        return self.escaped(character)

    def escaped(self, character: str) -> Take:
        if character.lower() in _CLASSES:
            return Take(_CLASSES[character.lower()], negated=character.isupper())
        if character in _CONTROLS:
            return Take(frozenset(_CONTROLS[character]))
        if character.isalnum():
            raise PatternError(f"\\{character} is left out; \\d \\D \\w \\W \\s \\S \\b \\B \\n \\t \\r \\f are known")
        return Take(frozenset(character), fold=self.fold)

    def bracket(self) -> Take:
        negated = self.takes("^")
        ranges: list[tuple[str, str]] = []
        while not ranges or self.next != "]":
            ranges += self.range()
        self.take()
        return Take(tuple(ranges), negated=negated, fold=self.fold)

    def range(self) -> list[tuple[str, str]]:
        first = self._member()
        if not (self.next == "-" and self.pattern[self.at + 1 : self.at + 2] not in {"]", ""}):
            return [(character, character) for character in sorted(first)]
        self.take()
        last = self._member()
        if len(first) != 1 or len(last) != 1 or min(first) > min(last):
            raise PatternError("a range goes from one character up to another, as in a-z")
        return [(min(first), min(last))]

    def _member(self) -> frozenset[str]:
        character = self.take()
        if character == "[" or self.pattern.startswith("&&", self.at - 1):
            raise PatternError("sets in sets are left out; write \\[ for the bracket itself")
        if character != "\\":
            return frozenset(character)
        escaped = self.escaped(self.take())
        if escaped.negated or not isinstance(escaped.characters, frozenset):
            raise PatternError("\\D, \\W and \\S are left out inside of [ ]")
        return escaped.characters


def compiled(pattern: str) -> Program:
    """Compile `pattern`, with `(?i)` in front if case is not to matter.

    Raises
    ------
    PatternError
        If it is no pattern, too large, or asks for back-references, looking around, possessive repeats or sets in sets.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"a pattern has at most {LONGEST_PATTERN} characters")
    reader = _Reader(pattern)
    reader.fold = reader.takes("(?i)")
    code = reader.alternatives().saved(0)
    if reader.next:
        raise PatternError("a group is closed that was never opened; write \\) for the bracket itself")
    return Program((*code.code, Accept()), reader.groups)
