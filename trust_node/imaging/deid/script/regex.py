"""Regular expressions that cannot run away: RE2 follows all alternatives at once, in time linear in the text.

That leaves out what needs going back: back-references and looking around. Otherwise syntax and preference (leftmost,
greedy unless `?`) are those of Java.
"""

from functools import lru_cache
from typing import Any

import re2

from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError

LONGEST_PATTERN = 1024
LONGEST_TEXT = 10_240
MEMORY_BYTES = 1 << 20


class PatternError(ValueError):
    """No pattern, or one that asks for what is left out."""


@lru_cache(maxsize=512)
def program(pattern: str) -> Any:
    """Compile `pattern`; raises PatternError where it is none, or asks for what is left out."""
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"a pattern has at most {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.max_mem, options.log_errors = MEMORY_BYTES, False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(f"no pattern, or none for bounded time: {_said(error)}") from None


def matches(pattern: str, text: str, budget: Budget) -> bool:
    """Tell whether `pattern` matches the whole of `text`."""
    return program(pattern).fullmatch(_bounded(text, budget)) is not None


def first_match(pattern: str, text: str, group: int, budget: Budget) -> str | None:
    """Return `group` of the first match in `text`, None where nothing matches or the group took no part."""
    compiled = program(pattern)
    if not 0 <= group <= compiled.groups:
        raise CannotError(f"the pattern has {compiled.groups} groups, so there is no group {group}")
    found = compiled.search(_bounded(text, budget))
    return found.group(group) if found else None


def _bounded(text: str, budget: Budget) -> str:
    if len(text) > LONGEST_TEXT:
        raise CannotError(f"a pattern is tried on at most {LONGEST_TEXT} characters")
    budget.spend(len(text))
    return text


def _said(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)
