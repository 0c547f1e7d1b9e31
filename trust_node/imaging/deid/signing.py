"""What a de-identified object says of itself: how it was made (PS3.15 E.1.1), and who wrote it (PS3.10 7.1)."""

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID

from trust_node.imaging.deid.changes import Change, step
from trust_node.imaging.deid.options import Code, Option, dates, declared
from trust_node.imaging.deid.profile import EDITION

IMPLEMENTATION_UID = UID("2.25.232660265846272897933771330027344564707")
IMPLEMENTATION_NAME = "TRUSTFLOW_1"
METHOD = f"Trustflow, PS3.15 {EDITION}"
# What `sign` writes, whatever stood there.
SIGNED = frozenset(
    Tag(keyword)
    for keyword in (
        "PatientID",
        "PatientName",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
        "LongitudinalTemporalInformationModified",
    )
)
SIGNED_PATHS = frozenset(map(step, SIGNED))
PSEUDONYMS: tuple[Change, ...] = (
    Change(step(Tag("PatientName")), "replace", "pseudonym"),
    Change(step(Tag("PatientID")), "replace", "pseudonym"),
)


def sign(dataset: Dataset, subject: str, options: Iterable[Option]) -> None:
    """Give the object its pseudonym, and say that and how the identity was removed."""
    chosen = frozenset(options)
    dataset.PatientID = dataset.PatientName = subject
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = [_item(code) for code in declared(chosen)]
    dataset.LongitudinalTemporalInformationModified = dates(chosen)


def file_meta(sop_class: str, instance: str, syntax: str) -> FileMetaDataset:
    """Build the file meta anew: the old one names the sending system and the old instance."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = IMPLEMENTATION_NAME
    return meta


def _item(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, "DCM", code.meaning
    return item
