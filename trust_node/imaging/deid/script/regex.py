"""Regular expressions that cannot run away: all alternatives are followed at once, one character at a time.

Time is at most pattern by text, whatever the pattern, so nothing that a person writes into a script stops a worker.
That leaves out what needs going back: back-references and looking around. Syntax and preference (leftmost, greedy
unless `?`) are those of Java and Python.
"""

from dataclasses import dataclass
from functools import lru_cache

from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.patterns import compiled
from trust_node.imaging.deid.script.programs import Accept, Assert, Fork, Go, Program, Save, Take

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


@dataclass(frozen=True, slots=True)
class _Here:
    """The text and where in it all threads stand."""

    pattern: Program
    text: str
    position: int


def _run(pattern: Program, text: str, budget: Budget, *, whole: bool) -> Groups | None:
    if len(text) > LONGEST_TEXT:
        raise CannotError(f"a pattern is tried on at most {LONGEST_TEXT} characters")
    start = _Thread(0, (None,) * (2 * pattern.groups + 2))
    threads: list[_Thread] = []
    best: Groups | None = None
    for position in range(len(text) + 1):
        if best is None and (position == 0 or not whole):
            threads.append(start)
        if not threads:
            break
        here = _Here(pattern, text, position)
        arrived = _followed(here, threads, budget)
        threads, won = _step(here, arrived, whole=whole)
        best = won or best
    return best


def _step(here: _Here, arrived: list[_Thread], *, whole: bool) -> tuple[list[_Thread], Groups | None]:
    """Move every thread over one character; one that accepts cuts off all that are less preferred."""
    at_end = here.position == len(here.text)
    moved: list[_Thread] = []
    for thread in arrived:
        instruction = here.pattern.code[thread.at]
        if isinstance(instruction, Accept):
            if not whole or at_end:
                return moved, thread.groups
        elif isinstance(instruction, Take) and not at_end and instruction.takes(here.text[here.position]):
            moved.append(_Thread(thread.at + 1, thread.groups))
    return moved, None


def _followed(here: _Here, threads: list[_Thread], budget: Budget) -> list[_Thread]:
    """Go on to where a character is needed, the preferred way first; each place is entered once."""
    entered: set[int] = set()
    arrived: list[_Thread] = []
    waiting = threads[::-1]
    while waiting:
        thread = waiting.pop()
        if thread.at not in entered:
            entered.add(thread.at)
            further = _further(here, thread)
            waiting += reversed(further)
            arrived += [thread] if not further and _needs_character(here, thread) else []
    budget.spend(len(entered))
    return arrived


def _further(here: _Here, thread: _Thread) -> list[_Thread]:
    """Return where a thread goes on to without a character, the preferred way first."""
    match here.pattern.code[thread.at]:
        case Go(to):
            return [_Thread(to, thread.groups)]
        case Fork(preferred, other):
            return [_Thread(preferred, thread.groups), _Thread(other, thread.groups)]
        case Save(slot):
            groups = (*thread.groups[:slot], here.position, *thread.groups[slot + 1 :])
            return [_Thread(thread.at + 1, groups)]
        case Assert() as condition if condition.holds(here.text, here.position):
            return [_Thread(thread.at + 1, thread.groups)]
    return []


def _needs_character(here: _Here, thread: _Thread) -> bool:
    return isinstance(here.pattern.code[thread.at], Take | Accept)
