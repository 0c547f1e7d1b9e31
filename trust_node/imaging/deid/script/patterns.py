"""Regular expressions as programs: what `regex` runs (after K. Thompson, 1968, and R. Pike's groups)."""

import re
from dataclasses import dataclass

LONGEST_PATTERN = 1024
LONGEST_PROGRAM = 4096
MOST_REPEATS = 1000
DEEPEST = 32

_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS = frozenset("0123456789")
_SPACE = frozenset(" \t\n\r\f\v")
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


class PatternError(ValueError):
    """Text that is no pattern, or one that asks for what is left out."""


@dataclass(frozen=True, slots=True)
class Take:
    """One character out of a set, or any that is not in it; both ways of case if `fold`."""

    characters: frozenset[str] | tuple[tuple[str, str], ...]
    negated: bool = False
    fold: bool = False

    def takes(self, character: str) -> bool:
        forms = {character, character.lower(), character.upper()} if self.fold else {character}
        return any(map(self._holds, forms)) != self.negated

    def _holds(self, character: str) -> bool:
        if isinstance(self.characters, frozenset):
            return character in self.characters
        return any(first <= character <= last for first, last in self.characters)


@dataclass(frozen=True, slots=True)
class Go:
    to: int


@dataclass(frozen=True, slots=True)
class Fork:
    preferred: int
    other: int


@dataclass(frozen=True, slots=True)
class Save:
    slot: int


@dataclass(frozen=True, slots=True)
class Assert:
    """`^`, `$`, `b` at the edge of a word, `B` away from one."""

    sign: str

    def holds(self, text: str, position: int) -> bool:
        if self.sign == "^":
            return position == 0
        if self.sign == "$":
            return position == len(text)
        before = position > 0 and text[position - 1] in _WORD
        after = position < len(text) and text[position] in _WORD
        return (before != after) == (self.sign == "b")


@dataclass(frozen=True, slots=True)
class Accept:
    pass


Instruction = Take | Go | Fork | Save | Assert | Accept


@dataclass(frozen=True, slots=True)
class Program:
    code: tuple[Instruction, ...]
    groups: int


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

    def alternatives(self) -> "_Code":
        code = self.sequence()
        while self.takes("|"):
            code = code.either(self.sequence())
        return code

    def sequence(self) -> "_Code":
        code = _Code()
        while self.next and self.next not in "|)":
            code = code.then(self.repeated())
        return code

    def repeated(self) -> "_Code":
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

    def atom(self) -> "_Code":
        character = self.take()
        match character:
            case "(":
                return self.group()
            case "[":
                return _Code((self.bracket(),))
            case ".":
                return _Code((Take(frozenset("\n"), negated=True),))
            case "^" | "$":
                return _Code((Assert(character),))
            case "\\":
                return _Code((self.escape(),))
            case "*" | "+" | "?":
                raise PatternError(f"nothing to repeat before {character}")
        return self.literal(character)

    def literal(self, character: str) -> "_Code":
        return _Code((Take(frozenset(character), fold=self.fold),))

    def group(self) -> "_Code":
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


@dataclass(frozen=True, slots=True)
class _Code:
    """Instructions whose jumps count from their own place, so that they can be put together in any order."""

    code: tuple[Instruction, ...] = ()

    def __post_init__(self) -> None:
        if len(self.code) > LONGEST_PROGRAM:
            raise PatternError("the pattern repeats too much; use smaller numbers")

    def then(self, other: "_Code") -> "_Code":
        return _Code(self.code + other.moved(len(self.code)))

    def moved(self, by: int) -> tuple[Instruction, ...]:
        return tuple(_moved(instruction, by) for instruction in self.code)

    def either(self, other: "_Code") -> "_Code":
        behind = len(self.code) + 2
        return _Code((Fork(1, behind), *self.moved(1), Go(behind + len(other.code)), *other.moved(behind)))

    def saved(self, group: int) -> "_Code":
        return _Code((Save(2 * group), *self.moved(1), Save(2 * group + 1)))

    def repeated(self, low: int, high: int | None, *, lazy: bool) -> "_Code":
        code = _Code()
        for _ in range(low):
            code = code.then(self)
        if high is None:
            return code.then(self._any_number(lazy=lazy))
        optional = _Code()
        for _ in range(high - low):
            optional = self.then(optional)._maybe(lazy=lazy)
        return code.then(optional)

    def _maybe(self, *, lazy: bool) -> "_Code":
        return _Code((_fork(1, len(self.code) + 1, lazy=lazy), *self.moved(1)))

    def _any_number(self, *, lazy: bool) -> "_Code":
        return _Code((_fork(1, len(self.code) + 2, lazy=lazy), *self.moved(1), Go(0)))


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


def _fork(go_in: int, leave: int, *, lazy: bool) -> Fork:
    return Fork(leave, go_in) if lazy else Fork(go_in, leave)


def _moved(instruction: Instruction, by: int) -> Instruction:
    match instruction:
        case Go(to):
            return Go(to + by)
        case Fork(preferred, other):
            return Fork(preferred + by, other + by)
    return instruction
