"""Functions that move dates and scale ages; values and results by the reference implementation's own tests."""

import pytest

from tests.unit.imaging.deid.script.playing import play, thing, value_of
from trust_node.imaging.deid.script import ScriptRunError


@pytest.mark.parametrize(
    ("value", "amount", "unit", "shifted"),
    [
        ("2023", -300, "days", "2022"),
        ("202305", -300, "days", "202207"),
        ("20230519", -300, "days", "20220723"),
        ("2023051913", -300, "days", "2022072313"),
        ("202305191330", -300, "days", "202207231330"),
        ("20230519133022.123", -300, "days", "20220723133022.123"),
        ("2023", -46813, "seconds", "2023"),
        ("202305", -46813, "seconds", "202305"),
        ("20230519", -46813, "seconds", "20230518"),
        ("2023051913", -46813, "seconds", "2023051900"),
        ("202305191330", -46813, "seconds", "202305190030"),
        ("20230519133022", -46813, "seconds", "20230519003009"),
        ("20230519133022.123", -46813, "seconds", "20230519003009.123"),
        ("2022", -259200, "seconds", "2022"),
        ("2022-0500", 259200, "seconds", "2022-0500"),
        ("20240115131415", 6, "days", "20240121131415"),
        ("20200101120000.4", 10, "seconds", "20200101120010.4"),
        ("20200101120000.050", 10, "seconds", "20200101120010.050"),
        ("20200101120000.800444", 10, "seconds", "20200101120010.800444"),
        ("20200229-0500", 366, "days", "20210301-0500"),
    ],
)
def test_shifts_keep_the_precision(value: str, amount: int, unit: str, shifted: str) -> None:
    assert value_of(f'shiftDateTimeByIncrement["{value}", {amount}, "{unit}"]') == shifted
    dataset = thing(AcquisitionDateTime=value)
    play(f'shiftDateTimeListByIncrement[{{(0008,002A)}}, "{amount}", "{unit}"]', dataset)
    assert dataset.AcquisitionDateTime == shifted


def test_default_units_and_empty_dates() -> None:
    dataset = thing(StudyDate="20200101", AcquisitionDateTime="20200101000000", SeriesDate="")
    play(
        "(0008,0020) := shiftDateByIncrement[(0008,0020), 1]\n"
        "(0008,002A) := shiftDateTimeByIncrement[(0008,002A), 1]\n"
        "(0008,0021) := shiftDateByIncrement[(0008,0021), 1]\n"
        "shiftDateTimeListByIncrement[(0008,0020), 86400]",
        dataset,
    )
    assert (dataset.StudyDate, dataset.AcquisitionDateTime) == ("20200103", "20200101000001")
    assert dataset.SeriesDate == ""


def test_a_sequence_of_dates_is_shifted_by_seconds() -> None:
    dataset = thing(FrameReferenceDateTime="20200101000000")
    dataset.PerFrameFunctionalGroupsSequence = [
        thing(FrameContentSequence=[thing(FrameReferenceDateTime=f"2020010112000{n}")]) for n in range(2)
    ]
    play('shiftDateTimeSequenceByIncrement["600", "+/(0018,9151)"]', dataset)
    inner = [frame.FrameContentSequence[0].FrameReferenceDateTime for frame in dataset.PerFrameFunctionalGroupsSequence]
    assert inner == ["20200101121000", "20200101121001"]
    assert dataset.FrameReferenceDateTime == "20200101000000"


def test_times_are_not_shifted() -> None:
    with pytest.raises(ScriptRunError, match=r"\(0008,0030\): a time of day"):
        play("shiftDateTimeListByIncrement[(0008,0030), 5]", thing(StudyTime="1200"))


@pytest.mark.parametrize(
    ("age", "born", "studied", "scaled"),
    [
        ("063Y", None, None, ("063Y", None)),
        ("090Y", None, None, ("089Y", None)),
        ("089Y", None, None, ("089Y", None)),
        ("999M", None, None, ("999M", None)),
        ("100Y", "19230315", "20230315", ("089Y", "19340316")),
        ("050Y", "19730315", "20230315", ("050Y", "19730315")),
        ("100Y", "19230315", None, ("089Y", "19230315")),
    ],
)
def test_nobody_is_older_than_89(
    age: str, born: str | None, studied: str | None, scaled: tuple[str, str | None]
) -> None:
    dates = {"PatientBirthDate": born, "StudyDate": studied}
    inner = thing(PatientAge=age)
    dataset = thing(PatientAge=age, ReferencedPatientSequence=[inner], **{k: v for k, v in dates.items() if v})
    play("scalePatientAgeAndDobFromStudyDate[]", dataset)
    assert (dataset.PatientAge, dataset.get("PatientBirthDate")) == scaled
    assert inner.PatientAge == scaled[0]


def test_an_age_that_is_none_is_refused() -> None:
    with pytest.raises(ScriptRunError, match="three digits"):
        play("scalePatientAgeAndDobFromStudyDate[]", thing(PatientAge="45"))
