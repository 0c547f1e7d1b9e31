"""White list and scripts on what the fast way wrote, without its bulk data, which are copied as they are."""

from collections.abc import Iterator
from dataclasses import replace

from pydicom import Dataset
from pydicom.uid import UID

from trust_node.imaging.deid.after import after_profile
from trust_node.imaging.deid.encoding import decoded, encoded
from trust_node.imaging.deid.fast import Part, Rewritten, meta_bytes
from trust_node.imaging.deid.original import Original
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.raw import OddEncodingError, pieces

# Stands where bulk data were: whoever removes it removes those.
_STAND_IN = b"bulk"


def with_additions(result: Rewritten, original: Original, plan: DeidPlan) -> Rewritten:
    """Apply what comes after the profile.

    Raises
    ------
    OddEncodingError
        If a script writes where bulk data are; they must then be read.
    Held
        As `after.after_profile`.
    """
    dataset = decoded(b"".join(result.small), explicit=original.explicit)
    bulk = {tag: part for tag, part in result.elements if not isinstance(part, bytes)}
    for tag in bulk:
        dataset.add_new(tag, "OB", _STAND_IN)
    changes = after_profile(dataset, plan, result.study, result.subject)
    instance = UID(str(dataset.SOPInstanceUID))
    meta = result.meta[:132] + meta_bytes(str(dataset.SOPClassUID), instance, original.syntax)
    elements = tuple(_elements(dataset, bulk, explicit=original.explicit))
    return replace(result, meta=meta, elements=elements, instance=instance, changes=(*result.changes, *changes))


def _elements(dataset: Dataset, bulk: dict[int, memoryview], *, explicit: bool) -> Iterator[tuple[int, Part]]:
    """Encode what lies between bulk data in one go, so that its character set applies."""
    if any(dataset[tag].value != _STAND_IN for tag in bulk if tag in dataset):
        raise OddEncodingError
    staying: dict[int, Part] = {tag: part for tag, part in bulk.items() if tag in dataset}
    for tag in staying:
        del dataset[tag]
    small = encoded(dataset, explicit=explicit)
    for piece in pieces(small, 0, explicit):
        staying[piece.tag] = small[piece.start : piece.end]
    yield from sorted(staying.items())
