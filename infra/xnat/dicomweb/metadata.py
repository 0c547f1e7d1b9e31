"""An instance's whole data set in the DICOM JSON model (PS3.18 F); large values are named by an address."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from infra.xnat.dicom import UNREADABLE
from infra.xnat.dicomweb.reading import header
from infra.xnat.refusal import bad_request, not_found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom import Dataset
    from pydicom.dataelem import DataElement

_INLINE = 1_024  # bytes that a binary value may have to be told inline
_LARGEST_TEXT = 1 << 20
_BINARY = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")


def metadata(location: Path, address: str) -> dict[str, Any]:
    """Return an instance's data set; `address` is where it is. Elements that make no sense are left out."""
    dataset = header(location)
    told: dict[str, Any] = {}
    for tag in sorted(dataset.keys()):
        if tag.group > 2:  # noqa: PLR2004  the file's own elements are not the instance's
            told |= _told(dataset, tag, f"{address}/bulkdata")
    return told


def _told(dataset: Dataset, tag: BaseTag, bulk: str) -> dict[str, Any]:
    raw = dataset.get_item(tag)
    if isinstance(raw, RawDataElement) and raw.value is None and raw.length:
        vr = raw.VR or _usual_vr(raw.tag)
        if vr.startswith(_BINARY):
            return {_name(tag): {"vr": vr[:2], "BulkDataURI": f"{bulk}/{_name(tag)}"}}
        if vr != "SQ" and raw.length > _LARGEST_TEXT:
            return {}
    try:
        element = dataset[tag]
        places = dict(_bulky(element, _name(tag)))
        return {_name(tag): finite(element.to_json_dict(lambda e: f"{bulk}/{places[id(e)]}", _INLINE))}
    except UNREADABLE:
        return {}


def _usual_vr(tag: BaseTag) -> str:
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"


def _name(tag: BaseTag) -> str:
    return f"{tag:08X}"


def _bulky(element: DataElement, path: str) -> Iterator[tuple[int, str]]:
    """Yield the places of binary elements: a tag, or the way to it through sequences, `tag/item/tag`."""
    if element.VR != "SQ":
        yield id(element), path
        return
    for number, item in enumerate(element.value):
        for tag in item.keys():  # noqa: SIM118  a data set iterates over elements
            yield from _bulky(item[tag], f"{path}/{number}/{_name(tag)}")


def finite(told: Any) -> Any:
    """Return the same with numbers that JSON lacks spelled out, as the model has it."""
    match told:
        case float() if not math.isfinite(told):
            return "NaN" if math.isnan(told) else "inf" if told > 0 else "-inf"
        case dict():
            return {key: finite(value) for key, value in told.items()}
        case list():
            return [finite(value) for value in told]
        case _:
            return told


def bulk_value(dataset: Dataset, path: Sequence[str]) -> DataElement | RawDataElement:
    """Return the element at `tag[/item/tag...]`, unread if it is a large one. Raises 400 and 404."""
    try:
        for tag, number in zip(path[:-1:2], path[1::2], strict=True):
            dataset = dataset[BaseTag(int(tag, 16))].value[int(number)]
        found = dataset.get_item(BaseTag(int(path[-1], 16)))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise not_found("bulkdata: the instance has no such element") from error
    except (ValueError, OverflowError) as error:
        raise bad_request("bulkdata: give a tag's eight digits, below a sequence tag/item/tag") from error
    if found is None:
        raise not_found("bulkdata: the instance has no such element")
    return found
