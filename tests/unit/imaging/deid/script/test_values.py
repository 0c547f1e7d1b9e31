"""Functions that make a value of values."""

import pytest
from pydicom import Dataset

from tests.unit.imaging.deid.script.playing import play, thing, value_of
from trust_node.imaging.deid.script import ScriptErrors, ScriptRunError, read_lookup

NAMED = thing(PatientName="Doe^Ann", PatientID="A-1")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('concatenate["a", 1, (0010,0020), {"x", (0010,0010)}, (0010,0030)]', "a1A-1xDoe^Ann"),
        ("concatenate[]", None),
        ('format["{1} and {0}, {2}", (0010,0020), "b"]', "b and A-1, {2}"),
        ("format[\"it''s '{0}' {0}\", \"x\"]", "it's {0} x"),
        ('substring["abcdef", 1, 3]', "bc"),
        ("substring[(0010,0010), 0, 0]", None),
        ("substring[(0010,0030), 0, 5]", None),
        ("lowercase[(0010,0010)]", "doe^ann"),
        ('uppercase["straße"]', "STRASSE"),
        ("uppercase[(0010,0030)]", None),
        ('normalizeString["Zürich"]', "Z_rich"),
        ('normalizeString["Zürich", "u"]', "Zurich"),
        ('urlEncode["a b&c~*-._/é"]', "a+b%26c%7E*-._%2F%C3%A9"),
        ('replace["a.b.c", ".", "-"]', "a-b-c"),
        ('replace[(0010,0010), "^", " "]', "Doe Ann"),
        ('match["ab12cd", "([a-z]+)(\\\\d+)", 2]', "12"),
        ('match["ab12cd", "([a-z]+)(\\\\d+)", 0]', "ab12"),
        ('match["ab", "(x)?b", 1]', None),
        ('match["ab", "z", 0]', None),
        ('ismatch["abc", "b"]', "false"),
        ('ismatch["abc", ".b."]', "true"),
        ('true["whatever"]', "true"),
        ("false[]", "false"),
        ('default["a", (0010,0010)]', "[default(a, (0010,0010)]"),
    ],
)
def test_values_of_values(expression: str, value: str | None) -> None:
    dataset = Dataset()
    dataset.update(NAMED)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    assert value_of(expression, dataset) == value


@pytest.mark.parametrize(
    "expression",
    [
        'substring["abc", 2, 1]',
        'substring["abc", 0, 4]',
        'substring["abc", (0010,0010), 4]',
        'format["{0,number}", 1]',
        'match["abc", "a", 1]',
        'concatenate[mapUID["1.2", "not a prefix"]]',
        "lowercase[{1, 2}]",
        'shiftDateByIncrement["someday", 1]',
        'shiftDateByIncrement["20200101", 1, "weeks"]',
        'shiftDateByIncrement["00010101", -2]',
        'shiftDateByIncrement["20200230", 1]',
        "shiftDateByIncrement[(0010,0010), 1]",
    ],
)
def test_what_only_the_object_shows_names_line_and_path_but_no_value(expression: str) -> None:
    with pytest.raises(ScriptRunError) as caught:
        value_of(expression, thing(PatientName="Canaryson"))
    assert caught.value.rule == "test:2"
    assert "anary" not in str(caught.value)


def test_lookup_takes_the_sites_table() -> None:
    table = read_lookup(" // names\n\npn/Doe^Ann = Subject 1\npid/A-1=X=1\n")
    assert table == {("pn", "Doe^Ann"): "Subject 1", ("pid", "A-1"): "X=1"}
    dataset = thing(PatientName="Doe^Ann", PatientID="B-2")
    play('(0010,0010) := lookup["pn", (0010,0010)]\n(0010,0020) := lookup["pid", (0010,0020)]', dataset, lookup=table)
    assert (dataset.PatientName, dataset.PatientID) == ("Subject 1", "")


def test_a_line_that_is_no_entry_is_named_and_not_quoted() -> None:
    with pytest.raises(ScriptErrors) as caught:
        read_lookup("pn/a = b\nCanaryson\npn a = c\n")
    assert [error.line for error in caught.value.errors] == [2, 3]
    assert "anary" not in str(caught.value)
