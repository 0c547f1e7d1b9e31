"""Says, element by element, what became of an object, and which rule did it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal, cast

from pydicom import DataElement, Dataset
from pydicom.datadict import keyword_for_tag

from trust_node.imaging.deid.changes import Change, step

LONGEST_VALUE = 64
Fate = Literal["kept", "changed", "removed", "added"]
# An element in an object: `(0008,1140)[0]/(0008,1155)`.
_Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One element before and after; `rules` are empty where nothing was done. The values are the patient's."""

    path: str
    keyword: str
    fate: Fate
    rules: tuple[str, ...]
    before: str = ""
    after: str = ""


def compare(original: Dataset, result: Dataset, changes: Iterable[Change]) -> list[Compared]:
    """Return every element of the two objects in the order of tags, without what goes or comes with its sequence."""
    rules: defaultdict[str, list[str]] = defaultdict(list)
    for change in changes:
        rules[change.path].append(f"{change.action}: {change.rule}")
    before, after = dict(_elements(original)), dict(_elements(result))
    places = sorted(before.keys() | after.keys())
    return [_compared(place, before, after, rules) for place in places if _is_told(place, before, after)]


def _elements(dataset: Dataset, before: _Place = ()) -> Iterator[tuple[_Place, DataElement]]:
    for element in dataset:
        place = (*before, step(element.tag))
        yield place, element
        items = cast("Iterable[Dataset]", element.value or ()) if element.VR == "SQ" else ()
        for number, item in enumerate(items):
            yield from _elements(item, (*place[:-1], f"{place[-1]}[{number}]"))


def _is_told(place: _Place, before: Mapping[_Place, DataElement], after: Mapping[_Place, DataElement]) -> bool:
    """Leave out what goes or comes with the element around it."""
    around = [(*place[:depth], place[depth].partition("[")[0]) for depth in range(len(place) - 1)]
    return all((outer in before) == (outer in after) for outer in around)


def _compared(
    place: _Place,
    before: Mapping[_Place, DataElement],
    after: Mapping[_Place, DataElement],
    rules: Mapping[str, list[str]],
) -> Compared:
    old, new = before.get(place), after.get(place)
    some = cast("DataElement", new if old is None else old)
    path = "/".join(part.partition("[")[0] for part in place)
    deeper = (told for below, told in rules.items() if below.startswith(f"{path}/") and (old is None or new is None))
    told = tuple(dict.fromkeys([*rules.get(path, ()), *chain.from_iterable(deeper)]))
    return Compared("/".join(place), keyword_for_tag(some.tag), _fate(old, new), told, _shown(old), _shown(new))


def _fate(old: DataElement | None, new: DataElement | None) -> Fate:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    if old.VR == "SQ" and new.VR == "SQ":
        return "kept" if len(old.value or ()) == len(new.value or ()) else "changed"
    return "kept" if old.value == new.value else "changed"


def _shown(element: DataElement | None) -> str:
    if element is None or element.value is None:
        return ""
    if element.VR == "SQ":
        return f"{len(element.value)} items"
    if isinstance(element.value, bytes):
        return f"{len(element.value)} bytes"
    return str(element.value)[:LONGEST_VALUE]
