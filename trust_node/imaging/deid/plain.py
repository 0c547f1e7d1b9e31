"""De-identifies a pydicom data set by a plan: the way that every encoding, and every change of pixels, can go."""

from dataclasses import dataclass

from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from trust_node.imaging.deid.after import after_profile
from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.dataset import Scope, clean
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.pixels import Held, HoldReason, Rectangle, blank, judge
from trust_node.imaging.deid.plan import DeidPlan, Patient, as_plan, patient_of
from trust_node.imaging.deid.signing import PSEUDONYMS, SIGNED_PATHS, file_meta, sign

_BLANKED = Change("(7FE0,0010)", "blank", "pixels")


@dataclass(frozen=True, slots=True)
class DeidResult:
    """A de-identified object and the pseudonyms it goes by; `dataset` is ready for `dcmwrite`."""

    dataset: FileDataset
    study: str
    subject: str
    changes: tuple[Change, ...] = ()


def deidentify(original: Dataset, plan: DeidPlan | DeidKeys) -> DeidResult:
    """Return a new object under the plan; `original` and its pixels stay untouched.

    Raises
    ------
    Held
        If the object must wait for a person (`pixels.judge`, a script), or doesn't say how it is encoded.
    """
    plan = as_plan(plan)
    judgement = judge(original, plan.pixel_rules)
    if judgement.reason is not None:
        raise Held(judgement.reason)
    patient, study = patient_of(original, plan.keys), plan.keys.study(str(original.StudyInstanceUID))
    result, changes = _profiled(original, plan, patient)
    changes += _blanked(result, judgement.rectangles, plan)
    changes += after_profile(result, plan, study, patient.subject)
    return DeidResult(result, study, patient.subject, tuple(dict.fromkeys(changes)))


def _profiled(original: Dataset, plan: DeidPlan, patient: Patient) -> tuple[FileDataset, list[Change]]:
    changes: list[Change] = []
    scope = Scope(plan.profile, plan.keys, patient.days, str(original.SOPClassUID))
    cleaned = clean(original, scope, changes)
    sign(cleaned, patient.subject, plan.profile.options)
    others = (change for change in changes if change.path not in SIGNED_PATHS)
    return _with_meta(cleaned, original), [*PSEUDONYMS, *others]


def _blanked(result: FileDataset, rectangles: tuple[Rectangle, ...], plan: DeidPlan) -> list[Change]:
    if not rectangles:
        return []
    blank(result, rectangles)
    sign(result, str(result.PatientID), plan.profile.options | {Option.CLEAN_PIXEL_DATA})
    return [_BLANKED]


def _with_meta(dataset: Dataset, original: Dataset) -> FileDataset:
    syntax = getattr(original, "file_meta", Dataset()).get("TransferSyntaxUID")
    if not isinstance(syntax, UID) or not syntax:
        raise Held(HoldReason.NO_TRANSFER_SYNTAX)
    return FileDataset(
        "",
        dataset,
        preamble=b"\0" * 128,
        file_meta=file_meta(dataset.SOPClassUID, dataset.SOPInstanceUID, syntax),
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
