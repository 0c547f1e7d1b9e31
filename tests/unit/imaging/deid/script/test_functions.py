"""Each function of the language, and its corners."""

import pytest
from pydicom import DataElement, Dataset
from pydicom.tag import Tag

from tests.unit.imaging.deid.script.playing import KEYS, play, thing, value_of
from trust_node.imaging.deid.script import RejectedError, ScriptErrors, ScriptRunError, read_lookup

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


# UIDs


@pytest.mark.parametrize(
    ("value", "uid"),
    [
        ("1.2.3", "2.25.148370922854076938159295778886134140470"),
        ("1.2.3.444.555", "2.25.151084009948217556417582685022853404996"),
        ("0.0.0", "2.25.179381058945121467305106941903336095433"),
        ("1.2.3.4", "2.25.12977335313771255011876057319581175462"),
    ],
)
def test_hash_uid_is_dicomedits(value: str, uid: str) -> None:
    assert value_of(f'hashUID["{value}"]') == uid


def test_hash_uid_of_nothing_is_nothing() -> None:
    assert value_of("hashUID[(0020,000D)]") is None
    assert value_of("hashUID[(0020,000D)]", thing(StudyInstanceUID="")) is None


def test_hash_uid_list_goes_everywhere_and_hashes_each_value() -> None:
    inner = thing(StudyInstanceUID="1.2.3.444.555.0", SeriesInstanceUID="1.2.3")
    dataset = thing(
        StudyInstanceUID="1.2.3.444.555",
        RelatedGeneralSOPClassUID=["1.2.3.4.5", "1.2.3.4.5.6", "99.99999.999"],
        ReferencedStudySequence=[inner],
    )
    play("uids := {(0008,001A), */(0020,000D)}\nhashUIDList[uids]", dataset)
    assert dataset.StudyInstanceUID == "2.25.151084009948217556417582685022853404996"
    assert inner.StudyInstanceUID == "2.25.21621800940148076483240768691790573264"
    assert inner.SeriesInstanceUID == "1.2.3"
    assert list(dataset.RelatedGeneralSOPClassUID) == [
        "2.25.281097975800109040096884226991818420711",
        "2.25.262228503153619312954819897114011402300",
        "2.25.231023445675908772609000485091754869630",
    ]


def test_an_element_that_two_paths_mean_is_hashed_once() -> None:
    dataset = thing(StudyInstanceUID="1.2.3")
    assert len(play("hashUIDList[(0020,000D), */(0020,000D)]", dataset)) == 1
    assert dataset.StudyInstanceUID == "2.25.148370922854076938159295778886134140470"


def test_new_uids_differ_within_an_object_and_repeat_for_it() -> None:
    def made(instance: str) -> list[str]:
        dataset = thing(SOPInstanceUID=instance)
        play("(0008,0014) := newUID[]\n(0020,0052) := newUID[]", dataset)
        return [dataset.InstanceCreatorUID, dataset.FrameOfReferenceUID]

    assert made("1.2.3") == made("1.2.3")
    assert len({*made("1.2.3"), *made("1.2.4")}) == 4


def test_mapped_uids_agree_across_objects_and_keep_the_prefix() -> None:
    inner = thing(ReferencedSOPInstanceUID="1.2.3")
    dataset = thing(SOPInstanceUID="1.2.3", ReferencedImageSequence=[inner])
    play(
        '(0020,0052) := mapUID[(0008,0018), "1.3.6.1"]\nmapReferencedUIDs["1.3.6.1", "*/(0008,1155)", (0008,0018)]',
        dataset,
    )
    assert dataset.FrameOfReferenceUID == inner.ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.SOPInstanceUID.startswith("1.3.6.1.")
    assert len(dataset.SOPInstanceUID) <= 64
    assert dataset.SOPInstanceUID.is_valid


def test_mapped_uids_are_keyed() -> None:
    from trust_node.imaging.deid import DeidKeys
    from trust_node.imaging.deid.script.uids import mapped_uid

    assert mapped_uid(KEYS, "1.2", "1.3") != mapped_uid(DeidKeys(bytes(32)), "1.2", "1.3")
    assert len(mapped_uid(KEYS, "1.2", "1." + "2" * 38)) == 64


# Dates; values and results by the reference implementation's own tests


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


# The object


def test_blank_values_by_text_number_list_and_path() -> None:
    inner = thing(ManufacturerModelName="Doe", Manufacturer="12345")
    dataset = thing(PatientName="Doe", PatientID="12345", StationName="Doering", RequestAttributesSequence=[inner])
    play('mine := {"Doe", 12345}\nblankValues[mine]', dataset)
    assert (dataset.PatientName, dataset.PatientID, dataset.StationName) == ("", "", "Doering")
    assert (inner.ManufacturerModelName or "", inner.Manufacturer or "") == ("", "")


def test_blank_values_collects_by_wildcards_and_leaves_bytes_alone() -> None:
    dataset = thing(StationName="Doe", PatientName="Doe", InstitutionName="Doe Hall", ICCProfile=b"Doe ")
    dataset.add(DataElement(Tag(0x00440001), "UN", b"Doe"))
    play("values := collectValues[(0008,101X), (0010,0030)]\nblankValues[values]", dataset)
    assert (dataset.PatientName, dataset.InstitutionName, dataset.ICCProfile) == ("", "Doe Hall", b"Doe ")
    assert not dataset[0x00440001].value


def test_blank_values_leaves_what_the_file_needs() -> None:
    dataset = thing(SOPInstanceUID="1.2.3", FrameOfReferenceUID="1.2.3")
    play('blankValues["1.2.3"]', dataset)
    assert (dataset.SOPInstanceUID, dataset.FrameOfReferenceUID) == ("1.2.3", "")


def private_object() -> Dataset:
    dataset = thing(PatientName="x")
    block = dataset.private_block(0x0019, "MAKER", create=True)
    block.add_new(0x01, "LO", "one")
    block.add_new(0x02, "LO", "two")
    inner = thing(PatientID="y")
    inner.private_block(0x0021, "INNER", create=True).add_new(0x05, "LO", "five")
    block.add_new(0x10, "SQ", [inner])
    dataset.private_block(0x0029, "OTHER", create=True).add_new(0x01, "LO", "z")
    public = Dataset()
    public.private_block(0x0009, "DEEP", create=True).add_new(0x01, "LO", "w")
    dataset.ReferencedImageSequence = [public]
    return dataset


def private_tags(dataset: Dataset) -> list[str]:
    return [f"{e.tag.group:04x}{e.tag.element:04x}" for e in dataset.iterall() if e.tag.is_private]


def test_all_private_elements_go_at_every_depth() -> None:
    dataset = private_object()
    changes = play("removeAllPrivateTags", dataset)
    assert private_tags(dataset) == []
    assert dataset.PatientName == "x"
    assert "(0008,1140)/(0009,1001)" in [change.path for change in changes]


def test_retained_private_elements_stay_with_their_creators() -> None:
    dataset = private_object()
    play("retainPrivateTags[(0019,{MAKER}02)]", dataset)
    assert private_tags(dataset) == ["00190010", "00191002"]
    dataset = private_object()
    play("retainPrivateTags[(0019,{MAKER}10)]", dataset)
    assert private_tags(dataset) == ["00190010", "00191010", "00210010", "00211005"]
    dataset = private_object()
    play("retainPrivateTags[*/(0021,{INNER}XX), */(0009,{DEEP}01)]", dataset)
    assert private_tags(dataset) == ["00090010", "00091001", "00190010", "00191010", "00210010", "00211005"]


def test_only_private_paths_can_be_retained() -> None:
    with pytest.raises(ScriptRunError, match="not private"):
        play("retainPrivateTags[(0010,0010)]", private_object())


def test_delete_and_set_take_paths_in_strings_and_private_numbers() -> None:
    dataset = private_object()
    play('delete["(0019,1001)", "*/(0009,{DEEP}01)"]\nset["(0010,0010)", "new"]\nset[(0019,{MAKER}02), 5]', dataset)
    assert "00191001" not in private_tags(dataset)
    assert "00091001" not in private_tags(dataset)
    assert (dataset.PatientName, dataset[0x00191002].value) == ("new", "5")


def test_is_present_wants_all_of_them() -> None:
    dataset = thing(PatientName="", ReferencedImageSequence=[thing(PatientID="x")])
    dataset.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x0C, "LO", "N")
    for paths, present in {
        "(0010,0010)": "true",
        "(0010,0020)": "false",
        "(0010,0010), (0010,0020)": "false",
        "{(0010,0010), (0008,1140)}": "true",
        "(0008,1140)[0]": "true",
        "(0008,1140)[1]": "false",
        "(0008,1140)[0]/(0010,0020)": "true",
        "(2001,{Philips Imaging DD 001}0c)": "true",
        "(2001,{Philips Imaging DD 001}0d)": "false",
        "(2001,{NOBODY}0c)": "false",
    }.items():
        assert value_of(f"isPresent[{paths}]", dataset) == present, paths
    with pytest.raises(ScriptRunError, match="several"):
        play("isPresent[*/(0010,0010)]", dataset)


def test_reject_refuses_the_object_and_says_only_what_the_script_says() -> None:
    with pytest.raises(RejectedError) as caught:
        play("reject[]", thing(PatientName="Canaryson"))
    assert (caught.value.rule, caught.value.reason) == ("test:2", "")
    with pytest.raises(RejectedError, match="test:2: rejected: no localisers"):
        play(
            'reject[ismatch[(0008,0008), ".*LOCALIZER.*"], "no localisers"]', thing(ImageType=["ORIGINAL", "LOCALIZER"])
        )
    assert play('reject[false[]]\nreject["no"]', Dataset()) == []


# Assignments


def test_assigning_makes_sequences_items_and_private_blocks() -> None:
    dataset = Dataset()
    changes = play(
        '(0008,1140)[1]/(0008,1155) := "1.2"\n(0019,{OURS}10) := "x"\n(0008,1110)/(0008,1150) := "1.3"', dataset
    )
    assert [len(item) for item in dataset.ReferencedImageSequence] == [0, 1]
    assert dataset.ReferencedImageSequence[1].ReferencedSOPInstanceUID == "1.2"
    assert (dataset[0x00190010].value, dataset[0x00191010].value) == ("OURS", "x")
    assert dataset.ReferencedStudySequence[0].ReferencedSOPClassUID == "1.3"
    assert changes[0].path == "(0008,1140)/(0008,1155)"


def test_assigning_without_an_item_means_every_item() -> None:
    dataset = thing(ReferencedImageSequence=[Dataset(), thing(ReferencedSOPInstanceUID="1.2")])
    play('(0008,1140)/(0008,1155) := "1.9"', dataset)
    assert [item.ReferencedSOPInstanceUID for item in dataset.ReferencedImageSequence] == ["1.9", "1.9"]


def test_wildcards_and_conditional_assignments_touch_only_what_is_there() -> None:
    inner = thing(PatientID="b")
    dataset = thing(PatientID="a", ReferencedImageSequence=[inner, Dataset()])
    play('*/(0010,0020) := "x"\n(0010,0010) ?= "y"\n(0008,1140)[7]/(0010,0020) ?= "z"\n+/(0010,0020) ?= "w"', dataset)
    assert (dataset.PatientID, inner.PatientID, "PatientName" in dataset) == ("x", "w", False)
    assert len(dataset.ReferencedImageSequence) == 2


def test_assigning_nothing_empties() -> None:
    dataset = thing(PatientName="x")
    play("(0010,0010) := (0010,0020)", dataset)
    assert dataset.PatientName == ""


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("(0028,1050)", "12.5\\\\-3", [12.5, -3.0]),
        ("(0020,0013)", "7", 7),
        ("(0028,0106)", "5", 5),
        ("(0018,9087)", "1.5", 1.5),
        ("(0028,0009)", "(0018,1063)", 0x00181063),
        ("(0010,4000)", "a\\\\b", "a\\b"),
        ("(0008,0008)", "A\\\\B", ["A", "B"]),
    ],
)
def test_values_take_the_form_of_their_vr(tag: str, text: str, value: object) -> None:
    dataset = Dataset()
    play(f'{tag} := "{text}"', dataset)
    found = next(iter(dataset)).value
    assert (list(found) if isinstance(value, list) else found) == value


@pytest.mark.parametrize(
    "statement",
    [
        '(0020,0013) := "Canaryson"',
        '(0028,1050) := "12.5x"',
        '(0028,0106) := "1.5"',
        '(0008,1140) := "x"',
        '(0010,0010)/(0008,0018) := "x"',
        '(0008,2112)[0]/(0028,2000) := "x"',
        "(0010,0010) := (0028,2000)",
        "(0010,0010) := (0008,1140)",
        '(0010,0010) := "Zürich"',
        "(0020,000D) := (0010,0030)",
        '*/(0028,0010) := "1"',
    ],
)
def test_what_cannot_be_assigned_or_read_is_named(statement: str) -> None:
    dataset = thing(StudyInstanceUID="1.2", ICCProfile=b"ab", Rows=3, ReferencedImageSequence=[])
    with pytest.raises(ScriptRunError, match=r"test:2: .*") as caught:
        play(statement, dataset)
    assert "Canaryson" not in str(caught.value)


def test_deleting_elements_items_and_what_the_file_needs() -> None:
    dataset = thing(
        SOPInstanceUID="1.2",
        PatientName="x",
        PatientID="y",
        ReferencedImageSequence=[thing(PatientID="0"), thing(PatientID="1")],
    )
    changes = play("- (0010,00XX)\n- (0008,1140)[0]\n- (0020,0010)\n- (0008,XXXX)/(0010,0020)\n- (0008,001X)", dataset)
    assert [item.get("PatientID") for item in dataset.ReferencedImageSequence] == [None]
    assert [int(e.tag) for e in dataset] == [0x00080018, 0x00081140]
    assert [change.action for change in changes] == ["remove"] * 4


def test_a_method_is_added_to_those_at_work_before() -> None:
    dataset = thing(DeidentificationMethod="Trustflow, PS3.15 2026c")
    play('(0012,0063) := "Site v1"\n(0012,0063) := "Site v1"', dataset)
    assert list(dataset.DeidentificationMethod) == ["Trustflow, PS3.15 2026c", "Site v1"]
