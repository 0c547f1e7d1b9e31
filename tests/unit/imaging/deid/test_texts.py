import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr.codedict import codes

from trust_node.imaging.deid.texts import clean, vocabulary


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT Thorax with contrast 5mm", "CT Thorax with contrast 5mm"),
        ("t2_tse_tra MR Brain^Routine", "t2 tse tra MR Brain Routine"),
        ("MRI for Mrs Jane Canaryson, 7 Canary Lane, London NW1 2BU", "MRI for"),
        ("call +44 20 7946 0000 or jane@canary.example", "or"),
        ("NHS 943 476 5919 / ACC778899", ""),
        ("Kopf-CT von Frau Müller", "CT"),
        ("CTMüller CT", "CT"),
        ("", ""),
    ],
)
def test_only_words_of_the_vocabulary_and_measures_stand(text: str, left: str) -> None:
    assert clean(text) == left


@given(st.text())
def test_whatever_stands_was_a_word_of_the_text_and_is_known(text: str) -> None:
    for word in clean(text).split():
        assert word in text
        assert word.lower() in vocabulary() or word[:-2].isdecimal() or word[:-3].isdecimal()


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_the_words_of_anatomy_and_modality_are_known() -> None:
    for concept in (codes.CID29.ComputedTomography, codes.CID4030.Abdomen, codes.CID4031.Hip, codes.CID244.Left):
        assert clean(concept.meaning) == concept.meaning


def test_no_common_family_name_or_place_is_a_known_word() -> None:
    names = (
        "smith jones williams brown taylor davies evans wilson thomas johnson roberts walker wright robinson thompson "
        "hughes edwards green lewis wood harris martin jackson clarke clark turner hill moore cooper ward king lee "
        "white bell london oxford street road lane avenue hospital clinic infirmary mr mrs dr"
    )
    assert set(names.split()) & vocabulary() == {"mr", "dr"}  # magnetic resonance, digital radiography
