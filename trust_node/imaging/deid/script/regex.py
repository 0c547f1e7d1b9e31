"""Regular expressions that cannot run away: all alternatives are followed at once, one character at a time.

Time is at most pattern × text, whatever the pattern, so nothing that a person writes into a script stops a worker. That
leaves out what needs going back: back-references and looking around. Syntax and preference (leftmost, greedy unless `?`)
are those of Java and Python.
"""

from dataclasses import dataclass
from functools import lru_cache

from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.patterns import Accept, Assert, Fork, Go, Program, Save, Take, compiled

LONGEST_TEXT = 10_240

Groups = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class _Thread:
    """A way through the pattern: where it stands, and where its groups begin and end."""

    at: int
    groups: Groups


@lru_cache(maxsize=512)
def program(pattern: str) -> Program:
    """Compile `pattern`; raises PatternError where it is none, or asks for what is left out."""
    return compiled(pattern)


def matches(pattern: str, text: str, budget: Budget) -> bool:
    """Tell whether `pattern` matches the whole of `text`."""
    return _run(program(pattern), text, budget, whole=True) is not None


def first_match(pattern: str, text: str, group: int, budget: Budget) -> str | None:
    """Return `group` of the first match in `text`, None where nothing matches or the group took no part."""
    compiled_pattern = program(pattern)
    if not 0 <= group <= compiled_pattern.groups:
        raise CannotError(f"the pattern has {compiled_pattern.groups} groups, so there is no group {group}")
    groups = _run(compiled_pattern, text, budget, whole=False)
    if groups is None:
        return None
    start, end = groups[2 * group], groups[2 * group + 1]
    return None if start is None or end is None else text[start:end]


def _run(pattern: Program, text: str, budget: Budget, *, whole: bool) -> Groups | None:
    if len(text) > LONGEST_TEXT:
        raise CannotError(f"a pattern is tried on at most {LONGEST_TEXT} characters")
    nothing: Groups = (None,) * (2 * pattern.groups + 2)
    threads: list[_Thread] = []
    best: Groups | None = None
    for position in range(len(text) + 1):
        entered: set[int] = set()
        arrived: list[_Thread] = []
        if best is None and (position == 0 or not whole):
            threads.append(_Thread(0, nothing))
        for thread in threads:
            _follow(pattern, thread, text, position, entered, arrived)
        budget.spend(1 + len(entered))
        threads, won = _step(pattern, arrived, text, position, whole=whole)
        best = won or best
        if not threads and (best is not None or whole):
            return best
    return best


def _step(
    pattern: Program, arrived: list[_Thread], text: str, position: int, *, whole: bool
) -> tuple[list[_Thread], Groups | None]:
    """Move every thread over one character; one that accepts cuts off all that are less preferred."""
    moved = []
    for thread in arrived:
        instruction = pattern.code[thread.at]
        if isinstance(instruction, Accept):
            if not whole or position == len(text):
                return moved, thread.groups
        elif isinstance(instruction, Take) and position < len(text) and instruction.takes(text[position]):
            moved.append(_Thread(thread.at + 1, thread.groups))
    return moved, None


def _follow(
    pattern: Program, start: _Thread, text: str, position: int, entered: set[int], arrived: list[_Thread]
) -> None:
    """Go on to where a character is needed, the preferred way first; each place is entered once."""
    waiting = [start]
    while waiting:
        thread = waiting.pop()
        if thread.at in entered:
            continue
        entered.add(thread.at)
        match pattern.code[thread.at]:
            case Go(to):
                waiting.append(_Thread(to, thread.groups))
            case Fork(preferred, other):
                waiting += [_Thread(other, thread.groups), _Thread(preferred, thread.groups)]
            case Save(slot):
                groups = (*thread.groups[:slot], position, *thread.groups[slot + 1 :])
                waiting.append(_Thread(thread.at + 1, groups))
            case Assert() as condition:
                if condition.holds(text, position):
                    waiting.append(_Thread(thread.at + 1, thread.groups))
            case _:
                arrived.append(thread)
