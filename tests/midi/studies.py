"""Studies of three patients with similar names: real pixels, planted headers, and the key to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import pydicom
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileDataset

from tests.midi.attributes import UID_ROOT, Values
from tests.midi.key import Answer, Category
from tests.midi.pictures import Box, write_name
from tests.midi.planting import Planter, in_free_text, useful_words

CLASSES = "1.2.840.10008.5.1.4.1.1."


@dataclass(frozen=True, slots=True)
class Source:
    """A real object that stands for a kind; `name_at` is where the device writes, `strip` what it owns."""

    name: str
    file: str
    changes: dict[str, object] = field(default_factory=dict)
    name_at: tuple[int, int] | None = None
    strip: Box | None = None
    held: bool = False


IU22 = {"Manufacturer": "Philips Medical Systems", "ManufacturerModelName": "iU22"}
SOURCES = (
    Source("ct", "CT_small.dcm"),
    Source("mr", "MR_small.dcm"),
    Source("mr-big-endian", "MR_small_bigendian.dcm"),
    Source("mr-implicit", "MR_small_implicit.dcm"),
    Source("mr-jpeg2000", "MR_small_jp2klossless.dcm"),
    Source("mr-jpegls", "MR_small_jpeg_ls_lossless.dcm"),
    Source("mr-rle", "MR_small_RLE.dcm"),
    Source("enhanced-mr", "emri_small.dcm"),
    Source("pet", "CT_small.dcm", {"SOPClassUID": f"{CLASSES}128", "Modality": "PT"}),
    Source("nm", "CT_small.dcm", {"SOPClassUID": f"{CLASSES}20", "Modality": "NM"}),
    Source("cr", "CT_small.dcm", {"SOPClassUID": f"{CLASSES}1", "Modality": "CR"}),
    Source("dx", "CT_small.dcm", {"SOPClassUID": f"{CLASSES}1.1", "Modality": "DX", "BurnedInAnnotation": "NO"}),
    Source("rt-dose", "rtdose.dcm"),
    Source("rt-plan", "rtplan.dcm"),
    Source("us-device", "US1_UNCR.dcm", IU22, (8, 6), (0, 0, 640, 47)),
    Source("us-device-jpeg2000", "US1_J2KR.dcm", IU22, (8, 6), (0, 0, 640, 47)),
    Source("us-regions", "examples_palette.dcm", {}, (8, 6), None),
    Source("capture", "SC_rgb.dcm", held=True),
    Source("report", "reportsi.dcm", held=True),
    Source("us-unknown", "US1_UNCR.dcm", {"Manufacturer": "Acme"}, held=True),
)
PATIENTS = (
    ("Canaryson^Jane", "MRN0815-4711", "19660606", "7 Canary Lane", "020 7946 0958"),
    ("Canaryson^Jan", "MRN0815-4712", "19660607", "71 Canary Lane", "020 7946 0959"),
    ("Canarysson^Jane", "MRN0815-47110", "19710113", "17 Finchley Mews", "020 7946 0960"),
)
STUDIES = ((0, "20200305"), (0, "20210704"), (1, "20200305"), (2, "20190101"))


@dataclass(frozen=True, slots=True)
class Planted:
    """One object as the hospital has it; `instance` names it in the key."""

    instance: str
    patient: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class PlantedSet:
    objects: tuple[Planted, ...]
    key: tuple[Answer, ...]
    useful: tuple[Answer, ...]


def planted_set(studies: Sequence[tuple[int, str]] = STUDIES) -> PlantedSet:
    """Make studies (patient and day of each); the same each time."""
    objects, key, useful = list[Planted](), list[Answer](), list[Answer]()
    for number, (patient, day) in enumerate(studies):
        for made, planter in _study(number, patient, day):
            objects.append(made)
            key += planter.answers
            if not any(answer.category is Category.HELD for answer in planter.answers):
                useful += useful_words(planter)
    return PlantedSet(tuple(objects), tuple(key), tuple(useful))


def _study(number: int, patient: int, day: str) -> Iterator[tuple[Planted, Planter]]:
    before: FileDataset | None = None
    for place, source in enumerate(SOURCES):
        planter = Planter(f"study{number}/{source.name}", Values((number * len(SOURCES) + place) * 1000))
        dataset = real(source)
        if source.held:
            planter.ask(Category.HELD)
        else:
            planter.everywhere(dataset)
            _pixels(dataset, planter, source, patient)
        _identify(dataset, planter, patient, day, f"{UID_ROOT}.{number + 1}.{place + 1}")
        if before is not None and not source.held:
            _refer(dataset, planter, before, f"study{number}/{SOURCES[place - 1].name}")
        if source.held:
            planter.answers[:] = [answer for answer in planter.answers if answer.category is Category.HELD]
        else:
            before = dataset
        yield Planted(planter.instance, patient, _encoded(dataset)), planter


def real(source: Source) -> FileDataset:
    """The real object, changed into its kind, nothing planted."""
    dataset = pydicom.dcmread(get_testdata_file(source.file))
    for keyword, value in source.changes.items():
        setattr(dataset, keyword, value)
    return dataset


def _identify(dataset: FileDataset, planter: Planter, patient: int, day: str, uid: str) -> None:
    """Give the object its patient, study and UIDs, and ask what holds for all of them."""
    name, number, born, street, phone = PATIENTS[patient]
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = name, number, born
    study = uid.rpartition(".")[0]
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"{study}.0", f"{uid}.1", f"{uid}.1.1"
    dataset.FrameOfReferenceUID = f"{study}.0.9"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        planter.ask(Category.UID_CHANGED, (tag_for_keyword(keyword),), str(dataset[keyword].value))
        planter.ask(Category.UID_CONSISTENT, (tag_for_keyword(keyword),), str(dataset[keyword].value))
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(dataset, keyword, day)
        planter.ask(Category.DATE_SHIFTED, (tag_for_keyword(keyword),), day)
        planter.ask(Category.TEXT_NOT_NULL, (tag_for_keyword(keyword),), day)
    planter.ask(Category.PATIENT_ID_CONSISTENT, (tag_for_keyword("PatientID"),), number)
    for keyword in (
        "PatientID",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
    ):
        planter.ask(Category.TEXT_NOT_NULL, (tag_for_keyword(keyword),))
    for planted in (*name.split("^"), number):
        planter.ask(Category.TEXT_REMOVED, (tag_for_keyword("PatientName"),), planted)
    planter.ask(Category.TEXT_REMOVED, (tag_for_keyword("PatientBirthDate"),), born)
    given = name.split("^")
    in_free_text(dataset, planter, (f"Mrs {given[1]} {given[0]}", street, phone, "Finchley N3 1QT"))


def _refer(dataset: FileDataset, planter: Planter, other: FileDataset, instance: str) -> None:
    """Point to another object of the study, as localizers and reconstructions do."""
    for keyword in ("ReferencedImageSequence", "SourceImageSequence"):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = other.SOPClassUID, other.SOPInstanceUID
        setattr(dataset, keyword, [item])
        path = (tag_for_keyword(keyword), 0, tag_for_keyword("ReferencedSOPInstanceUID"))
        planter.ask(Category.UID_CONSISTENT, path, str(other.SOPInstanceUID), refers=instance)
        planter.ask(Category.UID_CHANGED, path, str(other.SOPInstanceUID))


def _pixels(dataset: FileDataset, planter: Planter, source: Source, patient: int) -> None:
    if "PixelData" not in dataset:
        return
    whole = (0, 0, dataset.Columns, dataset.Rows)
    if source.name_at is None:
        planter.answers.append(Answer(Category.PIXELS_RETAINED, planter.instance, box=whole))
        return
    box = write_name(dataset, PATIENTS[patient][0], *source.name_at)
    planter.answers.append(Answer(Category.PIXELS_HIDDEN, planter.instance, box=box))
    planter.answers.append(Answer(Category.PIXELS_RETAINED, planter.instance, box=_image(dataset, source)))


def _image(dataset: FileDataset, source: Source) -> Box:
    """Where the image itself is: below the device's strip, or in the region that the object names."""
    if source.strip is not None:
        return 0, source.strip[3], dataset.Columns, dataset.Rows
    region = dataset.SequenceOfUltrasoundRegions[0]
    return (
        region.RegionLocationMinX0,
        max(region.RegionLocationMinY0, 59),
        region.RegionLocationMaxX1 + 1,
        region.RegionLocationMaxY1 + 1,
    )


def _encoded(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
