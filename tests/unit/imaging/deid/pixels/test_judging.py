import pickle

import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.filereader import dcmread

from trust_node.imaging.deid.pixels import RULES, HoldReason, Judgement, PixelRules, Rectangle, explain, judge
from trust_node.imaging.deid.pixels.devices import CatalogueError, read, shipped
from trust_node.imaging.deid.screen import Held, screen

CLASSES = "1.2.840.10008.5.1.4.1.1."
R = HoldReason


def header(**values: object) -> Dataset:
    """A plain CT slice of 512 x 512, but for `values`."""
    plain = {
        "SOPClassUID": f"{CLASSES}2", "SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2", "Modality": "CT",
        "Rows": 512, "Columns": 512, "BitsStored": 12, "SamplesPerPixel": 1, "ImageType": ["ORIGINAL", "PRIMARY"],
    }  # fmt: skip
    dataset = Dataset()
    for keyword, value in (plain | values).items():
        setattr(dataset, keyword, value)
    return dataset


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    return item


ULTRASOUND = {"SOPClassUID": f"{CLASSES}6.1", "Modality": "US", "Rows": 480, "Columns": 640, "BitsStored": 8}
DRAWN = {"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED"]}

SHOWN = [
    (R.NO_SOP_CLASS, {"SOPClassUID": ""}),
    (R.NO_IDENTITY, {"StudyInstanceUID": ""}),
    (R.ENCAPSULATED_DOCUMENT, {"SOPClassUID": f"{CLASSES}104.1"}),
    (R.STRUCTURED_REPORT, {"SOPClassUID": f"{CLASSES}88.67"}),
    (R.PRESENTATION_STATE, {"SOPClassUID": f"{CLASSES}11.1"}),
    (R.RAW_DATA, {"SOPClassUID": f"{CLASSES}66"}),
    (R.UNKNOWN_CLASS, {"SOPClassUID": "1.3.46.670589.11.0.0.12.1"}),
    (R.UNKNOWN_CLASS, {"SOPClassUID": "1.2.840.10008.1.3.10"}),
    (R.SECONDARY_CAPTURE, {"SOPClassUID": f"{CLASSES}7.4"}),
    (R.SCREEN_SAVE, {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}),
    (R.SCREEN_SAVE, {"SeriesDescription": "Screen Save"}),
    (R.DOSE_REPORT, {"SeriesDescription": "Dose Report"}),
    (R.DOSE_REPORT, {"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}),
    (R.DOSE_REPORT, {"SeriesDescription": "Patient Protocol"}),
    (R.BURNED_IN_ANNOTATION, {"BurnedInAnnotation": "YES"}),
    (R.RECOGNIZABLE_FEATURES, {"RecognizableVisualFeatures": "YES"}),
    (R.ULTRASOUND_CINE, ULTRASOUND | {"NumberOfFrames": 30}),
    (R.ULTRASOUND, ULTRASOUND),
    (R.ULTRASOUND, ULTRASOUND | {"BurnedInAnnotation": "NO"}),
    (R.FLUOROSCOPY, {"Modality": "XA"}),
    (R.FLUOROSCOPY, {"Modality": "RF"}),
    (R.OTHER_MODALITY, {"Modality": "OT"}),
    (R.PHOTOGRAPH, {"Modality": "XC"}),
    (R.PHOTOGRAPH, {"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}),
    (R.ANNOTATION_NOT_SAID, {"Modality": "DX"}),
    (R.DERIVED_CAPTURE, DRAWN),
    (R.DERIVED_CAPTURE, DRAWN | {"SamplesPerPixel": 3, "ImagePositionPatient": [0, 0, 0]}),
    (R.DERIVED_CAPTURE, DRAWN | {"BitsStored": 8, "ImagePositionPatient": [0, 0, 0]}),
]


@pytest.mark.parametrize(("reason", "values"), SHOWN)
def test_a_sign_of_text_holds_the_object(reason: HoldReason, values: dict[str, object]) -> None:
    assert judge(header(**values), PixelRules()).reason is reason


def test_an_overlay_without_data_of_its_own_is_held() -> None:
    shown = header()
    shown.add_new(0x60020010, "US", 64)
    assert judge(shown, PixelRules()).reason is R.OVERLAY_IN_PIXELS
    shown.add_new(0x60023000, "OW", b"\0\0")
    assert judge(shown, PixelRules()).reason is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"SOPClassUID": f"{CLASSES}66.4"},
        {"Modality": "DX", "BurnedInAnnotation": "NO"},
        {"Modality": "XA", "BurnedInAnnotation": "NO"},
        {"Modality": "CR"},
        DRAWN | {"ImagePositionPatient": [0, 0, 0]},
        {"SeriesDescription": "Low dose chest"},
        {"Modality": "OT", "Rows": None},
    ],
)
def test_a_plain_picture_passes_untouched(values: dict[str, object]) -> None:
    assert judge(header(**values), PixelRules()) == Judgement(None)


def test_each_rule_is_shown_here_and_tells_the_reviewer_what_to_look_for() -> None:
    shown = {reason for reason, _ in SHOWN} | {R.OVERLAY_IN_PIXELS, R.DERIVED_SECONDARY}
    assert {rule.reason for rule in RULES} <= shown
    assert all(explain(reason).endswith((".", "?")) for reason in HoldReason)


def test_regions_of_ultrasound_say_where_to_blank() -> None:
    shown = header(**ULTRASOUND, SequenceOfUltrasoundRegions=[region(0, 40, 639, 479)])
    assert judge(shown, PixelRules()) == Judgement(None, (Rectangle(0, 0, 640, 40),), (R.ULTRASOUND,))


@pytest.mark.parametrize(
    "regions",
    [[], [region(0, 0, 639, 479)], [region(50, 50, 20, 20)], [Dataset()], [region(700, 500, 800, 600)]],
)
def test_regions_that_tell_nothing_leave_it_held(regions: list[Dataset]) -> None:
    shown = header(**ULTRASOUND, SequenceOfUltrasoundRegions=regions)
    assert judge(shown, PixelRules()).reason is R.ULTRASOUND


def test_a_device_of_the_catalogue_is_blanked_and_let_go() -> None:
    made = {"Manufacturer": "Philips Medical Systems", "ManufacturerModelName": "iU22", "BurnedInAnnotation": "YES"}
    judgement = judge(header(**ULTRASOUND, **made), PixelRules())
    assert judgement == Judgement(None, (Rectangle(0, 0, 640, 47),), (R.BURNED_IN_ANNOTATION, R.ULTRASOUND))


def test_a_device_that_is_known_only_by_its_maker_is_blanked_but_held() -> None:
    made = {"Manufacturer": "SENO", "Rows": 1058, "Columns": 1920}
    judgement = judge(header(**ULTRASOUND | made), PixelRules())
    assert judgement == Judgement(R.ULTRASOUND, (Rectangle(161, 0, 1632, 50),))


def test_rectangles_settle_nothing_that_is_no_text_in_the_picture() -> None:
    made = {"Manufacturer": "Philips", "ManufacturerModelName": "iU22", "RecognizableVisualFeatures": "YES"}
    assert judge(header(**ULTRASOUND, **made), PixelRules()).reason is R.RECOGNIZABLE_FEATURES


def test_a_trust_may_switch_rules_and_add_devices() -> None:
    assert judge(header(**ULTRASOUND), PixelRules(off=frozenset({R.ULTRASOUND}))).reason is None
    placed = header(**DRAWN, ImagePositionPatient=[0, 0, 0])
    assert judge(placed, PixelRules(on=frozenset({R.DERIVED_SECONDARY}))).reason is R.DERIVED_SECONDARY
    own = read(
        "modality,manufacturer,model,rows,columns,software,image_type,series,left,top,width,height\n"
        "US,Acme,Sono 1,480,640,2.1,,,0,0,640,20\n"
    )
    rules = PixelRules(devices=(*shipped(), *own))
    made = {"Manufacturer": "ACME", "ManufacturerModelName": "Sono 1 Plus", "SoftwareVersions": ["1.0", "2.1"]}
    assert judge(header(**ULTRASOUND, **made), rules).rectangles == (Rectangle(0, 0, 640, 20),)
    assert judge(header(**ULTRASOUND, **made | {"SoftwareVersions": "3.0"}), rules).reason is R.ULTRASOUND


@pytest.mark.parametrize("reason", [rule.reason for rule in RULES if rule.essential])
def test_no_policy_switches_an_essential_rule_off_but_a_person_may_let_one_object_go(reason: HoldReason) -> None:
    with pytest.raises(ValueError, match=f"{reason.value} must stay on"):
        PixelRules(off=frozenset({reason}))
    if reason is R.BURNED_IN_ANNOTATION:
        let_go = PixelRules(released=frozenset({reason}))
        assert judge(header(BurnedInAnnotation="YES"), let_go).reason is None


def test_what_is_no_rule_cannot_be_switched() -> None:
    with pytest.raises(ValueError, match="leak can't be switched"):
        PixelRules(off=frozenset({R.LEAK}))


@pytest.mark.parametrize(
    ("catalogue", "complaint"),
    [
        ("modality,left\nUS,0\n", "columns manufacturer, model"),
        ("{columns}\nUS,Acme,,,,,,,0,0,wide,20\n", "row 2 needs whole numbers"),
        ("{columns}\nUS,,,,,,,,0,0,640,20\n", "row 2 must name a manufacturer"),
        ("{columns}\nUS,Acme,,,,,,,0,0,0,20\n", "row 2 needs whole numbers"),
        ("{columns}\nUS,Acme\n", "row 2 needs whole numbers"),
    ],
)
def test_a_catalogue_with_a_slip_is_refused_with_its_place(catalogue: str, complaint: str) -> None:
    columns = "modality,manufacturer,model,rows,columns,software,image_type,series,left,top,width,height"
    with pytest.raises(CatalogueError, match=complaint):
        read(catalogue.replace("{columns}", columns))


def test_the_shipped_catalogue_names_the_source_of_its_facts() -> None:
    from importlib.resources import files

    first = files("trust_node.imaging.deid.pixels").joinpath("devices.csv").read_text().splitlines()[:3]
    assert "MIT licence" in " ".join(first)
    assert len(shipped()) == 91


def test_rules_cross_to_a_worker_process() -> None:
    rules = PixelRules(off=frozenset({R.ULTRASOUND}))
    assert pickle.loads(pickle.dumps(rules)) == rules


def test_where_nothing_can_be_blanked_what_would_be_blanked_is_held() -> None:
    made = {"Manufacturer": "Philips", "ManufacturerModelName": "iU22"}
    with pytest.raises(Held, match="ultrasound"):
        screen(header(**ULTRASOUND, **made))


def test_real_slices_pass() -> None:
    for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "emri_small.dcm"):
        assert judge(dcmread(get_testdata_file(name)), PixelRules()).reason is None
