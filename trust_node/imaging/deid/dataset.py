"""PS3.15 annex E on a pydicom data set, at every depth: the plain way, which knows every encoding."""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import cast

from pydicom import DataElement, Dataset
from pydicom.dataelem import empty_value_for_VR
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from trust_node.imaging.deid.changes import Change, step
from trust_node.imaging.deid.content import describes_a_person, is_public_code
from trust_node.imaging.deid.dates import shift
from trust_node.imaging.deid.dummies import TEXT_VRS, dummy
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.private import creators, is_creator, is_safe
from trust_node.imaging.deid.rules import Action, Decision, Profile, decide
from trust_node.imaging.deid.texts import clean as clean_text
from trust_node.imaging.deid.uids import is_registered

_SAFE = Decision(Action.KEEP, Option.RETAIN_SAFE_PRIVATE.value)
_DEEPER = frozenset({Action.DESCEND, Action.DESCEND_CLEAN, Action.CONTENT})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an element stands: the profile, whose object it is, and what the sequences above it ask for.

    Attributes
    ----------
    days
        By how much the patient's dates move.
    parent
        The sequence around the element, 0 at the top.
    texts
        What happens to texts that would be kept: inside some sequences they are cleaned or replaced.
    path
        The report's path to the element's data set, with a slash behind it.
    """

    profile: Profile
    keys: DeidKeys
    days: int
    sop_class: str
    parent: int = 0
    texts: Action = Action.KEEP
    path: str = ""


def clean(dataset: Dataset, scope: Scope, changes: list[Change]) -> Dataset:
    """Return what the profile leaves of `dataset`, which stays untouched; tell what was done in `changes`."""
    result = Dataset()
    safe = _safe_elements(dataset, scope)
    for element in dataset:
        decision = _SAFE if element.tag in safe else _decision(element, scope)
        cleaned = _cleaned(element, decision, scope, changes)
        if cleaned is not None:
            result.add(cleaned)
    return result


def remapped(uid: str, keys: DeidKeys) -> str:
    """Return the stand-in of a UID; those of the standard, the same in every hospital, stay."""
    return uid if not uid or is_registered(uid) else keys.uid(uid)


def _safe_elements(dataset: Dataset, scope: Scope) -> frozenset[int]:
    """Return the private elements that may stay, and the creators they need."""
    if Option.RETAIN_SAFE_PRIVATE not in scope.profile.options:
        return frozenset()
    known = creators(dataset)
    safe = {int(e.tag) for e in dataset if e.tag.is_private and is_safe(known, e.tag, e.VR)}
    return frozenset(safe | {tag >> 16 << 16 | tag >> 8 & 0xFF for tag in safe if not is_creator(tag)})


def _decision(element: DataElement, scope: Scope) -> Decision:
    decision = decide(scope.profile, element.tag, element.VR, scope.sop_class, scope.parent)
    if decision.action is Action.KEEP and scope.texts is not Action.KEEP and element.VR in TEXT_VRS:
        return Decision(scope.texts, "text in a sequence")
    return decision


def _cleaned(element: DataElement, decision: Decision, scope: Scope, changes: list[Change]) -> DataElement | None:
    action = decision.action
    if action is Action.KEEP or (action in (Action.DUMMY, Action.CLEAN) and element.is_empty):
        return copy(element)  # whoever changes the result must not reach the original
    if action in _DEEPER or (action is Action.DUMMY and element.VR == "SQ"):
        return _sequence(element, action, scope, changes)
    if action is Action.CLEAN:
        return _cleaned_text(element, decision, scope, changes)
    changes.append(Change(scope.path + step(element.tag), action.name.lower(), decision.rule))
    return None if action is Action.REMOVE else _with(element, _VALUES[action](element, scope))


def _cleaned_text(element: DataElement, decision: Decision, scope: Scope, changes: list[Change]) -> DataElement | None:
    texts = [clean_text(text) for text in _texts(element)]
    if not any(texts):
        return _cleaned(element, Decision(decision.otherwise, decision.rule), scope, changes)
    changes.append(Change(scope.path + step(element.tag), "clean", decision.rule))
    return _with(element, texts if len(texts) > 1 else texts[0])


def _sequence(element: DataElement, action: Action, scope: Scope, changes: list[Change]) -> DataElement:
    inner = replace(scope, parent=int(element.tag), path=f"{scope.path}{step(element.tag)}/")
    if action is Action.DUMMY:
        inner = replace(inner, texts=Action.DUMMY)
    elif action is not Action.DESCEND and scope.texts is Action.KEEP:
        inner = replace(inner, texts=Action.CLEAN)
    items = cast("Iterable[Dataset]", element.value or ())
    kept = [item for item in items if not (action is Action.CONTENT and _goes(item, inner, changes))]
    return _with(element, Sequence([clean(item, _for_item(item, inner), changes) for item in kept]))


def _goes(item: Dataset, scope: Scope, changes: list[Change]) -> bool:
    if not describes_a_person(item, scope.profile.options):
        return False
    changes.append(Change(scope.path.rstrip("/"), "remove", Option.CLEAN_STRUCTURED_CONTENT.value))
    return True


def _for_item(item: Dataset, scope: Scope) -> Scope:
    return replace(scope, texts=Action.KEEP) if scope.texts is Action.CLEAN and is_public_code(item) else scope


def _with(element: DataElement, value: object) -> DataElement:
    return DataElement(element.tag, element.VR, value)


def _empty(element: DataElement, _: Scope) -> object:
    return [] if element.VR == "SQ" else empty_value_for_VR(element.VR)


_VALUES: dict[Action, Callable[[DataElement, Scope], object]] = {
    Action.EMPTY: _empty,
    Action.DUMMY: lambda element, _: dummy(element.VR),
    Action.REMAP: lambda element, scope: _each(element, lambda uid: remapped(uid, scope.keys)),
    Action.SHIFT: lambda element, scope: _each(element, lambda text: shift(text, element.VR, scope.days)),
}


def _texts(element: DataElement) -> list[str]:
    value = element.value
    return [str(part) for part in value] if isinstance(value, MultiValue) else [str(value or "")]


def _each(element: DataElement, change: Callable[[str], str]) -> str | list[str]:
    texts = [change(text) for text in _texts(element)]
    return texts if len(texts) > 1 else "".join(texts)
