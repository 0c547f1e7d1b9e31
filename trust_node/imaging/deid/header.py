"""White list and scripts on what the fast way wrote, without its bulk data, which are copied as they are."""

from collections.abc import Iterator
from dataclasses import replace

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.uid import UID

from trust_node.imaging.deid.after import after_profile
from trust_node.imaging.deid.encoding import decoded, encoded
from trust_node.imaging.deid.fast import Part, Rewritten, meta_bytes
from trust_node.imaging.deid.original import Original
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.raw import OddEncodingError, pieces

# Stands where bulk data were: whoever removes it removes those.
_STAND_IN = b"bulk"
_CHARSET = 0x00080005


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
    elements = tuple(_elements(dataset, dict(result.elements), bulk, explicit=original.explicit))
    told = tuple(dict.fromkeys((*result.changes, *changes)))
    return replace(result, meta=meta, elements=elements, instance=instance, changes=told)


def _elements(
    dataset: Dataset, before: dict[int, Part], bulk: dict[int, memoryview], *, explicit: bool
) -> Iterator[tuple[int, Part]]:
    """Encode anew what was touched; pydicom keeps the rest unread, and it is written as it was.

    No script and no white list gets at the character set.
    """
    if any(dataset[tag].value != _STAND_IN for tag in bulk if tag in dataset):
        raise OddEncodingError
    tags = [int(tag) for tag in sorted(dataset.keys())]
    anew = [tag for tag in tags if tag not in bulk and _is_touched(dataset, tag)]
    written = _encoded(dataset, anew, explicit=explicit)
    yield from ((tag, written.get(tag) or before[tag]) for tag in tags)


def _is_touched(dataset: Dataset, tag: int) -> bool:
    return tag == _CHARSET or not isinstance(dataset.get_item(tag), RawDataElement)


def _encoded(dataset: Dataset, tags: list[int], *, explicit: bool) -> dict[int, bytes]:
    """Encode these elements in one go, so that their character set applies."""
    chosen = Dataset()
    for tag in tags:
        chosen.add(dataset[tag])
    written = encoded(chosen, explicit=explicit)
    return {piece.tag: written[piece.start : piece.end] for piece in pieces(written, 0, explicit)}
