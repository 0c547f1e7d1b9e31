"""Runs the engine over the planted set, under a plan of the default profile or with one option more."""

from pathlib import Path

from pydicom.datadict import tag_for_keyword

from tests.midi.attributes import identifying
from tests.midi.key import Answer, Category
from tests.midi.scoring import Outcome
from tests.midi.studies import PlantedSet
from trust_node.imaging.deid import CleanFile, DeidKeys, clean_file
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.rules import Profile

DEFAULT = "default"
TABLE = identifying()
# What no option may bring back.
PERSONAL = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        "PatientName", "PatientID",
        "PatientAddress", "PatientTelephoneNumbers", "OtherPatientNames",
        "PatientMotherBirthName", "AccessionNumber", "ReferringPhysicianName", "OperatorsName",
        "PerformingPhysicianName", "AdmissionID",
        "PatientInsurancePlanCodeSequence", "MilitaryRank", "PersonAddress", "PersonTelephoneNumbers",
    )
)  # fmt: skip
# Some of what each option is there to keep (PS3.15 E.3.6 - E.3.11).
RETAINS: dict[str, tuple[str, ...]] = {
    Option.RETAIN_UIDS: ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"),
    Option.RETAIN_FULL_DATES: ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
    Option.RETAIN_DEVICE_IDENTITY: ("DeviceSerialNumber", "StationName", "DeviceUID", "ManufacturerDeviceClassUID"),
    Option.RETAIN_INSTITUTION_IDENTITY: ("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"),
    Option.RETAIN_PATIENT_CHARACTERISTICS: ("PatientAge", "PatientSize", "PatientWeight", "SmokingStatus"),
}
KEYS = DeidKeys(bytes(range(32)))


def plan(option: str) -> DeidPlan:
    usual = Profile().options - ({Option.RETAIN_MODIFIED_DATES} if option == Option.RETAIN_FULL_DATES else set())
    return DeidPlan(KEYS, Profile(usual if option == DEFAULT else usual | {Option(option)}))


def clean(planted: PlantedSet, folder: Path, option: str = DEFAULT) -> dict[str, Outcome]:
    """De-identify every object through files, as the pipeline does."""
    chosen, outcomes = plan(option), dict[str, Outcome]()
    for place, each in enumerate(planted.objects):
        original = folder / f"{place}.original"
        original.write_bytes(each.encoded)
        result = clean_file(original, folder, chosen)
        encoded = result.path.read_bytes() if isinstance(result, CleanFile) else None
        outcomes[each.instance] = Outcome(each.encoded, encoded, each.patient)
    return outcomes


def expected(planted: PlantedSet, option: str) -> list[Answer]:
    """The key of the default profile, or what an option changes in it and what it must leave as it is."""
    if option == DEFAULT:
        return list(planted.key)
    if option == Option.CLEAN_DESCRIPTORS:
        return [*planted.key, *planted.useful]
    kept = {tag_for_keyword(keyword) for keyword in RETAINS[option]}
    asked = (answer for answer in planted.key if _is_asked(answer, option, kept))
    return [_retained(answer) if answer.path in {(tag,) for tag in kept} else answer for answer in asked]


def _is_asked(answer: Answer, option: str, kept: set[int | None]) -> bool:
    """Leave to the option what the standard's table leaves to it; the patient's own data it never touches."""
    if answer.category is Category.DATE_SHIFTED and option == Option.RETAIN_FULL_DATES:
        return answer.path in {(tag,) for tag in kept}
    if answer.category in (Category.UID_CHANGED, Category.UID_CONSISTENT) and option == Option.RETAIN_UIDS:
        return answer.path in {(tag,) for tag in kept}
    if not answer.path or answer.category is not Category.TEXT_REMOVED:
        return True
    if len(answer.path) > 1:
        return answer.path[-1] not in kept
    return answer.path[0] in kept | PERSONAL or answer.path[0] not in TABLE


def _retained(answer: Answer) -> Answer:
    if answer.category in (Category.TEXT_NOT_NULL, Category.PATIENT_ID_CONSISTENT):
        return answer
    return Answer(Category.TEXT_RETAINED, answer.instance, answer.path, answer.planted)
