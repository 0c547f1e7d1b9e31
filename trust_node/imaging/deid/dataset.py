"""PS3.15 annex E, Basic Application Level Confidentiality Profile, with modified dates: one object to one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import cast

from pydicom import DataElement, Dataset
from pydicom.dataelem import empty_value_for_VR
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.uid import UID

from trust_node.imaging.deid.actions import Action, decide
from trust_node.imaging.deid.dates import shift
from trust_node.imaging.deid.dummies import TEXT_VRS, dummy
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.profile import EDITION
from trust_node.imaging.deid.screen import Held, HoldReason, screen
from trust_node.imaging.deid.uids import is_registered

IMPLEMENTATION_UID = UID("2.25.232660265846272897933771330027344564707")
IMPLEMENTATION_NAME = "TRUSTFLOW_1"
METHOD = f"PS3.15 {EDITION} Basic Profile, modified dates"
# PS3.16 CID 7050.
METHOD_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
)


@dataclass(frozen=True, slots=True)
class DeidResult:
    """A de-identified object and the pseudonyms it goes by; `dataset` is ready for `dcmwrite`."""

    dataset: FileDataset
    study: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Scope:
    keys: DeidKeys
    days: int
    sop_class: str
    texts_too: bool = False


def deidentify(original: Dataset, keys: DeidKeys) -> DeidResult:
    """Return a new object under the profile; `original` and its pixels stay untouched.

    Raises
    ------
    Held
        If the object must wait for a person (see `screen`), or doesn't say how it is encoded.
    """
    screen(original)
    # An object without a patient id has no patient to agree with: the study is the next larger whole.
    patient = str(original.get("PatientID") or original.StudyInstanceUID)
    scope = _Scope(keys, keys.shift_days(patient), str(original.SOPClassUID))
    subject = keys.subject(patient)
    cleaned = _clean(original, scope)
    cleaned.PatientID = cleaned.PatientName = subject
    _sign(cleaned)
    return DeidResult(_with_meta(cleaned, original), keys.study(str(original.StudyInstanceUID)), subject)


def _clean(dataset: Dataset, scope: _Scope) -> Dataset:
    result = Dataset()
    for element in dataset:
        cleaned = _cleaned(element, scope)
        if cleaned is not None:
            result.add(cleaned)
    return result


def _cleaned(element: DataElement, scope: _Scope) -> DataElement | None:
    action = decide(element.tag, element.VR, scope.sop_class)
    if action is Action.KEEP and scope.texts_too and element.VR in TEXT_VRS:
        action = Action.DUMMY
    if action is Action.KEEP or (action is Action.DUMMY and element.is_empty):
        return element
    return None if action is Action.REMOVE else _replaced(element, action, scope)


def _replaced(element: DataElement, action: Action, scope: _Scope) -> DataElement:
    return DataElement(element.tag, element.VR, _ACTIONS[action](element, scope))


def _empty(element: DataElement, _: _Scope) -> object:
    return [] if element.VR == "SQ" else empty_value_for_VR(element.VR)


def _dummy(element: DataElement, scope: _Scope) -> object:
    if element.VR == "SQ":
        return _descend(element, replace(scope, texts_too=True))
    return dummy(element.VR)


def _remap(element: DataElement, scope: _Scope) -> object:
    return _each(element, lambda uid: uid if not uid or is_registered(uid) else scope.keys.uid(uid))


def _shift(element: DataElement, scope: _Scope) -> object:
    return _each(element, lambda text: shift(text, element.VR, scope.days))


def _descend(element: DataElement, scope: _Scope) -> object:
    items = cast("Iterable[Dataset]", element.value or ())
    return Sequence([_clean(item, scope) for item in items])


_ACTIONS: dict[Action, Callable[[DataElement, _Scope], object]] = {
    Action.EMPTY: _empty,
    Action.DUMMY: _dummy,
    Action.REMAP: _remap,
    Action.SHIFT: _shift,
    Action.DESCEND: _descend,
}


def _each(element: DataElement, change: Callable[[str], str]) -> str | list[str]:
    if isinstance(element.value, MultiValue):
        return [change(str(part)) for part in element.value]
    return change(str(element.value or ""))


def _sign(dataset: Dataset) -> None:
    """Say that and how the identity was removed (PS3.15 E.1.1)."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = [_code(value, meaning) for value, meaning in METHOD_CODES]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _with_meta(dataset: Dataset, original: Dataset) -> FileDataset:
    """Build the file meta anew: the old one names the sending system and the old instance (PS3.10 7.1)."""
    syntax = getattr(original, "file_meta", Dataset()).get("TransferSyntaxUID")
    if not syntax:
        raise Held(HoldReason.NO_TRANSFER_SYNTAX)
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = IMPLEMENTATION_NAME
    return FileDataset(
        "",
        dataset,
        preamble=b"\0" * 128,
        file_meta=meta,
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
