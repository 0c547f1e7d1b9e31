"""The language: what reads, how it is understood, and where errors are."""

import pickle
from pathlib import Path

import pytest
from pydicom import Dataset

from tests.unit.imaging.deid.script.playing import KEYS, VERSION, play, thing, value_of
from trust_node.imaging.deid.script import Script, ScriptError, ScriptErrors, ScriptRunError, Surroundings, run
from trust_node.imaging.deid.script.budget import STEPS
from trust_node.imaging.deid.script.frame import LONGEST_VALUE, MOST_VALUES
from trust_node.imaging.deid.script.functions import FUNCTIONS
from trust_node.imaging.deid.script.lexer import LONGEST_SCRIPT
from trust_node.imaging.deid.script.regex import LONGEST_PATTERN, LONGEST_TEXT


def errors_of(text: str) -> list[tuple[int, int]]:
    with pytest.raises(ScriptErrors) as caught:
        Script.parse(text)
    return [(error.line, error.column) for error in caught.value.errors]


def sentence_of(text: str) -> str:
    with pytest.raises(ScriptErrors) as caught:
        Script.parse(VERSION + text)
    return caught.value.sentence


@pytest.mark.parametrize("version", ["6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6"])
def test_versions_of_the_language(version: str) -> None:
    assert Script.parse(f'// site\n\nversion "{version}"\n').version == version


def test_a_script_without_a_version_is_the_old_language_and_says_what_to_do() -> None:
    with pytest.raises(ScriptErrors, match="DicomEdit 4") as caught:
        Script.parse('(0010,0010) := "x"\n')
    assert 'begin it with version "6.6"' in caught.value.sentence


@pytest.mark.parametrize("version", ["4.2", "5.0", "6", "6.7", "7.0", ""])
def test_an_unknown_version_is_an_error(version: str) -> None:
    assert errors_of(f'version "{version}"\n') == [(1, 1)]


def test_the_version_stands_first_and_once() -> None:
    assert errors_of('echo\nversion "6.3"\n') == [(2, 1)]
    assert errors_of('version "6.3"\necho\nversion "6.3"\n') == [(3, 1)]


def test_a_function_that_is_newer_than_the_script_names_the_version_that_has_it() -> None:
    with pytest.raises(ScriptErrors, match=r"came with version 6\.6, and this script is 6\.3"):
        Script.parse('version "6.3"\nreject[]\n')
    assert Script.parse('version "6.6"\nreject[]\n').version == "6.6"


@pytest.mark.parametrize(
    "statement",
    [
        '(0010,0010) := "x" // a comment',
        "(0010,0010) ?= 3",
        "(0010,0010):=-4.5",
        "- (0010,0010)",
        "-(50X@,XXXX)",
        "(0008 , 1140) [%] / (00ab , {Foo}10)[0] / (0010 , 0010) ?= (0008,0060)",
        "name := {}",
        'name := { "a", \n (0010,0010), // why\n {1, other}\n }',
        "hashUIDList[*/(0020,000D), +/(0020,000e), ./(0020,000E), (0008,1140)/*]",
        "removeAllPrivateTags",
        'echo\necho "x"\necho (0010,0010)',
        'describe who "Who asked"\ndescribe who hidden\ndescribe who const\ndescribe who immutable\nexport who "field"',
        'true[] ? (0010,0010) := "x" : - (0010,0020)',
        '(0008,0060) = "MR" ? echo : echo',
        '(0008,0060) !~ "M.*" ? newUID[]',
        'if ((0008,0060) != "MR") {}',
        "if (false[])\n\n{\n} // no\n\nelseif (isPresent[(0008,0060)]) { echo\n - (0010,0010) }\n else {}",
        "if (true[]) { if (true[]) { }\n}\nelse\n{\n\n}",
        '(0010,00\\\n10) := "sna\\\nfu"',
        "// goes on \\\n and on",
        '(0010,0010) := "a\\\\d \\( \\101"',
        'x := (0010,0010)x = "a" ? - (0010,0010)',
        "\r\n- (0010,0010)\r\n",
        "",
    ],
)
def test_what_reads(statement: str) -> None:
    script = Script.parse(VERSION + statement)
    assert Script.parse(str(script)).statements == script.statements


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("- (0010,001)", [(2, 3)]),
        ("- ( 0010,0010)", [(2, 3)]),
        ("- (001x,0020)", [(2, 3)]),
        ("- (001#,0020)", [(2, 3)]),
        ("- (001@,{STENTOR}10)", [(2, 3)]),
        ("- (0002,0010)", [(2, 3)]),
        ("- (0008,1140)[-1]/(0008,1155)", [(2, 15)]),
        ("- (0008,1140)[1000]/(0008,1155)", [(2, 3)]),
        ('(0010,0010) := "open', [(2, 16)]),
        ('(0010,0010) := "a\\d"', [(2, 16)]),
        ("(0010,0010) :=", [(2, 15)]),
        ("(0010,0010)", [(2, 12)]),
        ("foo", [(2, 4)]),
        ("foo[1", [(2, 6)]),
        ("true[] ? removeAllPrivateTags", [(2, 10)]),
        ("if (true[]) {\n echo\n", [(2, 13)]),
        ("if true[] {}", [(2, 4)]),
        ("else {}", [(2, 1)]),
        ("describe a 3", [(2, 12)]),
        ("echo\n§\n\n  - x\necho ]", [(3, 1), (5, 5), (6, 6)]),
        ("(0010,0010) := 0123", [(2, 16)]),
        ("a := \\\n b :=", [(3, 4)]),
    ],
)
def test_errors_are_where_they_are(text: str, places: list[tuple[int, int]]) -> None:
    assert errors_of(VERSION + text) == places


def test_all_errors_are_told_at_once_and_survive_a_process() -> None:
    with pytest.raises(ScriptErrors) as caught:
        Script.parse("foo[]\n- (0008,0016)\nhashUID[]\nreject[(0010,0010), (0010,0010)]\n'")
    errors = pickle.loads(pickle.dumps(caught.value)).errors
    assert [error.line for error in errors] == [1, 1, 2, 3, 4, 5]
    assert all(isinstance(error, ScriptError) for error in errors)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("foo[]", "there is no function foo"),
        ('x := getURL["http://example.org"]', "getURL is refused"),
        ("x := hashUID[]", "takes 1 to 2 arguments, and here are 0"),
        ("x := lowercase[1, 2]", "takes 1 arguments, and here are 2"),
        ("hashUIDList[]", "1 or more"),
        ('x := substring["abc", "one", 2]', "no whole number"),
        ('x := match["abc", "(", 1]', "missing )"),
        ('(0008,0060) ~ "a{2,1}" ? echo', "invalid repetition size"),
        ('(0008,0060) ~ "(?=a)" ? echo', "none for bounded time"),
        ('delete["(0010;0010)"]', "no tag path"),
        ("delete[3]", "3 is a number"),
        ('delete["(0008,0016)"]', "the file needs it"),
        ("- (0008,0018)", "the file needs it"),
        ('(0028,0010) := "5"', "the file needs its value"),
        ("set[(0008,0016), 1]", "the file needs its value"),
        ('(0008,1140)[0] := "x"', "is an item"),
        ("(0010,0010) := */(0010,0010)", "can mean several elements"),
        ('+/(0010,0010) := "x"', "use ?="),
        ('(002#,{PVT}01)[1]/(0010,0010) := "x"', "use ?="),
        ("set[(0010,00XX), 1]", "use ?="),
        ("(0010,0010) := (0008,1140)/(0008,1155)", "name each item"),
        ("x := lowercase[(0010,00XX)]", "can mean several elements"),
        ("reject[true[], (0010,0010)]", "so that no value of the object gets there"),
        ('alterPixels["circle", "l=0,t=0,r=1,b=1", "solid", "v=0"]', '"rectangle"'),
        ('alterPixels["rectangle", "l=0,t=0,r=1", "solid", "v=0"]', "l=0, t=0, r=511, b=20"),
        ('alterPixels["rectangle", "l=9,t=0,r=1,b=1", "solid", "v=0"]', "in pixels"),
    ],
)
def test_what_is_wrong_whatever_the_object(text: str, words: str) -> None:
    assert words in sentence_of(text)


def test_conditions_treat_what_is_absent_as_nothing() -> None:
    dataset = thing(PatientName="", Modality="MR")
    for condition, holds in {
        '(0008,0060) = "MR"': True,
        '(0008,0060) = "mr"': False,
        '(0008,0060) != "MR"': False,
        '(0008,0060) ~ "M."': True,
        '(0008,0060) ~ "M"': False,
        '(0008,0060) !~ "M"': True,
        '(0010,0010) = ""': True,
        '(0010,0020) = ""': False,
        "(0010,0020) = (0010,0030)": False,
        "(0010,0020) != (0010,0030)": True,
        '(0010,0020) ~ ".*"': False,
        '(0010,0020) !~ ".*"': True,
        'lowercase["TRUE"]': True,
        'lowercase["yes"]': False,
        'true[] = "true"': True,
    }.items():
        marked = Dataset()
        marked.update(dataset)
        play(f'{condition} ? (0010,4000) := "yes" : (0010,4000) := "no"', marked)
        assert marked.PatientComments == ("yes" if holds else "no"), condition


def test_one_branch_runs_and_no_other() -> None:
    text = """if ((0010,0010) ~ ".*Curly.*") { (0010,0010) := "if" }
    elseif ((0010,0010) ~ ".*Larry.*") { (0010,0010) := "elseif" }
    else { (0010,0010) := "else" }"""
    for name, branch in {"Howard^Curly": "if", "Fine^Larry": "elseif", "Howard^Moe": "else"}.items():
        dataset = thing(PatientName=name)
        play(text, dataset)
        assert dataset.PatientName == branch


def test_variables_are_set_filled_in_and_described() -> None:
    assert value_of('concatenate[project, "-", subject]', variables={"project": "P", "subject": "S"}) == "P-S"
    dataset = thing(PatientName="a")
    play('x := (0010,0010)\n(0010,0010) := "b"\ny := x\n(0010,0020) := y\ndescribe z "Z"\n(0010,4000) := z', dataset)
    assert (dataset.PatientID, dataset.PatientName, dataset.PatientComments) == ("a", "b", "")


def test_a_variable_that_nobody_set_is_named() -> None:
    script = Script.parse(VERSION + "a := 1\nb := a\necho\n(0010,0010) := session", "site")
    assert script.variables == {"session"}
    with pytest.raises(ScriptRunError, match="site:5: the variable session is not set"):
        run([script], Dataset(), Surroundings({}, KEYS))


def test_each_script_starts_with_the_variables_it_is_given() -> None:
    first = Script.parse(VERSION + 'subject := "changed"\n(0010,0010) := subject', "site")
    second = Script.parse(VERSION + "(0010,0020) := subject", "project")
    dataset = Dataset()
    changes = run([first, second], dataset, Surroundings({"subject": "S1"}, KEYS))
    assert (dataset.PatientName, dataset.PatientID) == ("changed", "S1")
    assert [(change.path, change.rule) for change in changes] == [
        ("(0010,0010)", "site:3"),
        ("(0010,0020)", "project:2"),
    ]


def test_a_script_is_a_value_and_its_digest_its_text() -> None:
    text = VERSION + 'alterPixels["rectangle", "l=0, t=0, r=1, b=1", "solid", "v=0"]'
    script = Script.parse(text)
    assert pickle.loads(pickle.dumps(script)) == script
    assert script.alters_pixels
    assert script.digest != Script.parse(text + "\n").digest
    assert not Script.parse(VERSION).alters_pixels


def test_the_document_names_every_function_and_bound() -> None:
    text = (Path(__file__).parents[5] / "docs/dicomedit.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"`{name}[" not in text] == []
    bounds = (LONGEST_SCRIPT, STEPS, LONGEST_VALUE, MOST_VALUES, LONGEST_PATTERN, LONGEST_TEXT)
    assert [bound for bound in bounds if f"{bound:,}" not in text] == []
