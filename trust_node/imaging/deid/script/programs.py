"""Programs that `regex` runs (after K. Thompson, 1968, with groups after R. Pike), and how they are put together."""

from dataclasses import dataclass

LONGEST_PROGRAM = 4096
WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


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
        before = position > 0 and text[position - 1] in WORD
        after = position < len(text) and text[position] in WORD
        return (before != after) == (self.sign == "b")


@dataclass(frozen=True, slots=True)
class Accept:
    pass


Instruction = Take | Go | Fork | Save | Assert | Accept


@dataclass(frozen=True, slots=True)
class Program:
    code: tuple[Instruction, ...]
    groups: int


@dataclass(frozen=True, slots=True)
class Code:
    """Instructions whose jumps count from their own place, so that they can be put together in any order."""

    code: tuple[Instruction, ...] = ()

    def __post_init__(self) -> None:
        if len(self.code) > LONGEST_PROGRAM:
            raise PatternError("the pattern repeats too much; use smaller numbers")

    def then(self, other: "Code") -> "Code":
        return Code(self.code + other.moved(len(self.code)))

    def moved(self, by: int) -> tuple[Instruction, ...]:
        return tuple(_moved(instruction, by) for instruction in self.code)

    def either(self, other: "Code") -> "Code":
        behind = len(self.code) + 2
        return Code((Fork(1, behind), *self.moved(1), Go(behind + len(other.code)), *other.moved(behind)))

    def saved(self, group: int) -> "Code":
        return Code((Save(2 * group), *self.moved(1), Save(2 * group + 1)))

    def repeated(self, low: int, high: int | None, *, lazy: bool) -> "Code":
        code = Code()
        for _ in range(low):
            code = code.then(self)
        if high is None:
            return code.then(self._any_number(lazy=lazy))
        optional = Code()
        for _ in range(high - low):
            optional = self.then(optional).maybe(lazy=lazy)
        return code.then(optional)

    def maybe(self, *, lazy: bool) -> "Code":
        return Code((_fork(1, len(self.code) + 1, lazy=lazy), *self.moved(1)))

    def _any_number(self, *, lazy: bool) -> "Code":
        return Code((_fork(1, len(self.code) + 2, lazy=lazy), *self.moved(1), Go(0)))


def _fork(go_in: int, leave: int, *, lazy: bool) -> Fork:
    return Fork(leave, go_in) if lazy else Fork(go_in, leave)


def _moved(instruction: Instruction, by: int) -> Instruction:
    match instruction:
        case Go(to):
            return Go(to + by)
        case Fork(preferred, other):
            return Fork(preferred + by, other + by)
    return instruction
