"""De-identifies a pydicom data set by a plan: the way that every encoding can go."""

from dataclasses import dataclass

from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.dataset import Scope, clean
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.pixels import Held, HoldReason, judge
from trust_node.imaging.deid.plan import DeidPlan, as_plan, patient_of
from trust_node.imaging.deid.signing import PSEUDONYMS, SIGNED, file_meta, sign


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
        If the object must wait for a person (see `pixels.judge`), or doesn't say how it is encoded.
    """
    plan = as_plan(plan)
    judgement = judge(original, plan.pixel_rules)
    if judgement.reason is not None:
        raise Held(judgement.reason)
    patient, changes = patient_of(original, plan.keys), list[Change]()
    scope = Scope(plan.profile, plan.keys, patient.days, str(original.SOPClassUID))
    cleaned = clean(_unsigned(original), scope, changes)
    sign(cleaned, patient.subject, plan.profile.options)
    study = plan.keys.study(str(original.StudyInstanceUID))
    return DeidResult(_with_meta(cleaned, original), study, patient.subject, (*PSEUDONYMS, *changes))


def _unsigned(original: Dataset) -> Dataset:
    """Leave out what is written anew in any case."""
    rest = Dataset()
    rest.update({tag: original.get_item(tag) for tag in original.keys() if tag not in SIGNED})  # noqa: SIM118
    return rest


def _with_meta(dataset: Dataset, original: Dataset) -> FileDataset:
    syntax: UID | None = getattr(original, "file_meta", Dataset()).get("TransferSyntaxUID")
    if not syntax:
        raise Held(HoldReason.NO_TRANSFER_SYNTAX)
    return FileDataset(
        "",
        dataset,
        preamble=b"\0" * 128,
        file_meta=file_meta(dataset.SOPClassUID, dataset.SOPInstanceUID, syntax),
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
