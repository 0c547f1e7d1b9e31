import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as oracle
from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from trust_node.imaging.deid.profile import EDITION, basic_code, basic_profile

ORACLE = {
    "X": oracle.X_TAGS,
    "Z": oracle.Z_TAGS,
    "D": oracle.D_TAGS,
    "U": oracle.U_TAGS,
    "X/Z": oracle.X_Z_TAGS,
    "X/D": oracle.X_D_TAGS,
    "Z/D": oracle.Z_D_TAGS,
    "X/Z/D": oracle.X_Z_D_TAGS,
    "X/Z/U*": oracle.X_Z_U_STAR_TAGS,
}


def _name(tag: tuple[int, ...]) -> str:
    if len(tag) == 2:
        return f"{tag[0]:04X}{tag[1]:04X}"
    return "50XXXXXX" if tag[0] == 0x5000 else f"60XX{tag[1]:04X}"


def test_the_table_has_every_attribute_of_the_edition() -> None:
    assert EDITION == "2026c"
    assert len(basic_profile()) == 655


@pytest.mark.parametrize("code", ORACLE)
def test_each_code_stands_at_the_attributes_where_another_reader_of_the_standard_saw_it(code: str) -> None:
    ours = {tag for tag, own in basic_profile().items() if own == code}
    assert ours == {_name(tag) for tag in ORACLE[code]}


def test_keywords_are_those_of_the_data_dictionary() -> None:
    import csv
    from importlib.resources import files

    text = files("trust_node.imaging.deid").joinpath("profile.csv").read_text()
    rows = [row for row in csv.DictReader(text.splitlines()) if "X" not in row["tag"]]
    known = [row for row in rows if dictionary_has_tag(int(row["tag"], 16))]
    assert len(known) > 600
    assert [row for row in known if keyword_for_tag(int(row["tag"], 16)) != row["keyword"]] == []


def test_an_attribute_outside_the_table_has_no_code() -> None:
    assert basic_code(0x00280010) is None
    assert basic_code(0x00100010) == "Z"
