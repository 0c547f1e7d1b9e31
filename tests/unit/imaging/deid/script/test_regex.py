"""The pattern engine says what Python's says, in bounded time."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_node.imaging.deid.script import regex
from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.regex import PatternError

atoms = st.sampled_from(["a", "b", "1", ".", "[ab]", "[^a]", "[a-c1]", r"\d", r"\W", r"\s", "^", "$", r"\b", r"\."])
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}", "{0,3}?", "{1,}"]


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda two: f"(?:{two[0]}){two[1]}"),
    )


texts = st.text("abc1 .\n", max_size=8)
# Repeats of what can't be empty: only there do engines agree on where a group begins.
parts = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "ab", "(a)", "(?:a|bc)", "([ab]c)"])
repeated = st.tuples(parts, st.sampled_from(["", *REPEATS])).map("".join)
alternatives = st.lists(st.lists(repeated, min_size=1, max_size=5).map("".join), min_size=1, max_size=3).map("|".join)


@given(st.recursive(atoms, larger, max_leaves=8), texts)
def test_matches_what_python_matches(pattern: str, text: str) -> None:
    theirs = re.fullmatch(pattern.replace("$", r"\Z"), text)
    assert regex.matches(pattern, text, Budget()) == (theirs is not None)


@given(alternatives, texts)
def test_finds_the_groups_that_python_finds(pattern: str, text: str) -> None:
    theirs = re.search(pattern, text)
    for group in range(regex.program(pattern).groups + 1):
        assert regex.first_match(pattern, text, group, Budget()) == (theirs and theirs.group(group))


@given(st.text("ab()[]{}*+?|\\^$.-,123:i&", max_size=12))
def test_any_text_is_a_pattern_or_says_why_not(pattern: str) -> None:
    with suppress(PatternError):
        assert regex.matches(pattern, "ab1", Budget()) in {True, False}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?i)localizer", "LOCALIZER"),
        ("(?i)[a-c]+x", "ABCX"),
        (r"\(\d{2}\)", "(12)"),
        (r"a\tb", "a\tb"),
        ("x{", "x{"),
        (r"a\Bb", "ab"),
        (r"a\b.b", "a b"),
    ],
)
def test_spellings(pattern: str, text: str) -> None:
    assert regex.matches(pattern, text, Budget())


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        "(?=a)",
        "(?!a)",
        "a++",
        "a**",
        "*a",
        "(a",
        "a)",
        "[a",
        "[b-a]",
        "a{5,2}",
        "a{1001}",
        "((a{1000}){1000})",
        "a" * 1025,
        "\\",
    ],
)
def test_what_is_left_out_is_said(pattern: str) -> None:
    with pytest.raises(PatternError):
        regex.program(pattern)


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+$b", "(.*)*(.*)*(.*)*x", "(a?){500}a{500}b"])
def test_no_pattern_runs_away(pattern: str) -> None:
    begun = time.process_time()
    with suppress(CannotError):
        assert not regex.matches(pattern, "a" * 5000, Budget())
    assert time.process_time() - begun < 1


def test_texts_are_bounded() -> None:
    with pytest.raises(CannotError, match="10240 characters"):
        regex.matches("a", "a" * 10241, Budget())
