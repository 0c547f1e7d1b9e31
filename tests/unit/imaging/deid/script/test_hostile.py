"""Whatever a script says, reading it and running it ends soon, with a script or with a plain error."""

import resource
import time
from contextlib import suppress

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.data import get_testdata_file

from tests.unit.imaging.deid.script.playing import KEYS, VERSION
from trust_node.imaging.deid.script import (
    RejectedError,
    Script,
    ScriptError,
    ScriptRunError,
    Surroundings,
    run,
    running,
)
from trust_node.imaging.deid.script.budget import STEPS, Budget
from trust_node.imaging.deid.script.functions import FUNCTIONS
from trust_node.imaging.deid.script.parser import parse
from trust_node.imaging.deid.script.paths import TagPath, TagStep, Wildcard
from trust_node.imaging.deid.script.syntax import (
    Assign,
    Branch,
    Call,
    Comparison,
    Delete,
    Describe,
    Echo,
    Export,
    If,
    Items,
    Number,
    Perform,
    RemoveAllPrivateTags,
    SetVariable,
    Statement,
    Target,
    Text,
    Value,
    Variable,
    printed,
)

WORDS = [
    "version",
    '"6.6"',
    "if",
    "elseif",
    "else",
    "echo",
    "describe",
    "export",
    "hidden",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
]
WORDS += [
    ":=",
    "?=",
    "=",
    "!=",
    "~",
    "!~",
    "?",
    ":",
    ",",
    "-",
    "*/",
    "+/",
    "\n",
    "\\\n",
    '"',
    "//",
    "\\",
    "\u2028",
    "\0",
]
WORDS += ["(0010,0010)", "(0008,1140)[0]/", "(0019,{A}10)", "name", "3", "-4.5", '"a\\\\d"', "getURL", *FUNCTIONS]

names = st.from_regex(r"[a-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: (
        name not in {"if", "elseif", "else", "echo", "describe", "export", "hidden", "const", "immutable", "version"}
    )
)
strings = st.text("abc \\(){}'é", max_size=6).map(lambda text: Text(text.replace("\\", "\\\\").replace("\\\\", "\\")))
steps = st.one_of(
    st.builds(Wildcard, st.sampled_from("*+.")),
    st.builds(
        TagStep,
        st.sampled_from(["0010", "00X@"]),
        st.sampled_from(["0010", "XX#@"]),
        st.none(),
        st.none() | st.integers(0, 3),
    ),
    st.builds(
        TagStep, st.sampled_from(["0019", "XXX#"]), st.sampled_from(["0F", "XX"]), st.sampled_from(["A", "B c-d_.:"])
    ),
)
targets = st.lists(steps, min_size=1, max_size=3).map(lambda found: Target(TagPath(tuple(found))))
numbers = st.sampled_from(["0", "7", "-12", "3.25", "-0.5"]).map(Number)
leaves = st.one_of(strings, numbers, targets, st.builds(Variable, names))
values: st.SearchStrategy[Value] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Call, names, st.lists(inner, max_size=3).map(tuple)),
        st.lists(inner.filter(lambda one: not isinstance(one, Items)), max_size=3).map(
            lambda found: Items(tuple(found))
        ),
    ),
    max_leaves=5,
)
calls = st.builds(Call, names, st.lists(values, max_size=3).map(tuple))
conditions = st.one_of(calls, st.builds(Comparison, values, st.sampled_from(["=", "!=", "~", "!~"]), values))
simple = st.one_of(
    st.builds(Assign, targets, values, st.booleans()),
    st.builds(SetVariable, names, values),
    st.builds(Delete, targets),
    st.builds(Perform, calls),
    st.builds(Echo, st.none() | values),
    st.just(RemoveAllPrivateTags()),
    st.builds(Describe, names, strings | st.sampled_from(["hidden", "const", "immutable"])),
    st.builds(Export, names, strings),
)
statements: st.SearchStrategy[Statement] = st.recursive(
    simple,
    lambda inner: st.builds(
        If,
        st.lists(st.builds(Branch, conditions, st.lists(inner, max_size=2).map(tuple)), min_size=1, max_size=2).map(
            tuple
        ),
        st.lists(inner, max_size=2).map(tuple),
    ),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(st.lists(statements, max_size=4).map(tuple))
def test_a_script_reads_as_it_is_printed(tree: tuple[Statement, ...]) -> None:
    parsed = parse(printed("6.6", tree))
    assert parsed.errors == []
    assert tuple(parsed.statements) == tree


@given(st.text(max_size=200) | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_text_is_a_script_or_says_why_not(text: str) -> None:
    for script in (text, VERSION + text):
        with suppress(ScriptError):
            Script.parse(script)


def small() -> Dataset:
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    inner = Dataset()
    inner.PatientID = "x"
    dataset.ReferencedImageSequence = [inner]
    return dataset


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.builds(
            Call, st.sampled_from(sorted(set(FUNCTIONS) - {"alterPixels"})), st.lists(leaves, max_size=4).map(tuple)
        ).map(lambda call: f"(0010,4000) := {call}\n")
        | simple.map(lambda one: f"{one}\n"),
        max_size=4,
    ).map("".join)
)
def test_any_script_runs_or_says_why_not(text: str) -> None:
    with suppress(ScriptError, ScriptRunError, RejectedError):
        run([Script.parse(VERSION + text)], small(), Surroundings({}, KEYS))


@pytest.mark.parametrize(
    "text",
    [
        "a := " + "{" * 1000,
        "a := " + "b[" * 1000,
        "true[] ? " * 1000,
        "if (true[]) {\n" * 1000,
        "- " + "*/" * 1000 + "(0010,0010)",
        '(0008,0060) ~ "' + "(" * 1000 + '" ? echo',
        "x" * 70_000,
        '"' * 60_000,
        "(" * 60_000,
    ],
    ids=["lists", "calls", "choices", "blocks", "steps", "groups", "length", "quotes", "brackets"],
)
def test_nesting_and_length_are_bounded(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(ScriptError):
        Script.parse(VERSION + text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "text",
    [
        'a := "0123456789"\n' + "a := concatenate[a, a, a, a]\n" * 60,
        'a := {"x", "y"}\n' + "a := {a, a, a, a}\n" * 60,
        'a := "aaaaaaaaaaaaaaaa"\n' + 'a := replace[a, "a", a]\n' * 20,
        'a := "éééééééééééééééé"\n' + "a := normalizeString[a, concatenate[a, a, a]]\n" * 20,
        'a := "{0}{0}{0}{0}{0}{0}"\n' + "a := format[a, a]\n" * 20,
        'a := "{x}"\na := urlEncode[a]\n' + "a := urlEncode[concatenate[a, a, a, a]]\n" * 20,
        "blankValues[*/(XXX@,XXXX)]\n" * 2400,
        "- */*/+/*/*/(0010,0010)\n" * 2600,
        'a := "' + "a" * 9000 + '"\n' + 'a ~ "(a*)*(a*)*(a*)*b" ? echo\n' * 500,
    ],
    ids=["texts", "lists", "replacing", "normalizing", "formatting", "encoding", "walks", "wildcards", "patterns"],
)
def test_work_and_memory_are_bounded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "Budget", lambda: Budget(STEPS // 20))
    script, dataset = Script.parse(VERSION + text), small()
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(ScriptRunError, match=r"at most|too much work"):
        run([script], dataset, Surroundings({}, KEYS))
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 5
    assert after.ru_maxrss - before.ru_maxrss < 100 * 1024  # kilobytes
