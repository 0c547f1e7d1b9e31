"""Reading and writing the JSON of OHDSI Circe, as ATLAS exports it.

Keys that only shape the dates of a cohort, not who is in it, are left out and named; any other that we don't have
is refused, since leaving it out would change who is counted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from schemas.criteria.cohort import Criteria
from schemas.criteria.failure import CriteriaError

MAX_CHARACTERS = 100_000
MAX_DEPTH = 60

_WITHOUT_EFFECT = MappingProxyType(
    {
        "Title": "it is a name only",
        "cdmVersionRange": "the trust's own CDM version counts",
        "EndStrategy": "it moves only the date on which a person leaves the cohort",
        "CensoringCriteria": "they move only the date on which a person leaves the cohort",
        "CollapseSettings": "they join only the periods of one person",
    }
)
_REMEDIES = MappingProxyType(
    {
        "ImageOccurrence": "images stand beside this list, under trustflow.CriteriaList",
        "CensorWindow": "give OccurrenceStartDate to the criteria instead",
        "RestrictVisit": "give a StartWindow of 0 days before to 0 days after instead",
        "DateAdjustment": "shift the time windows instead",
        "ProviderSpecialty": "staff is not in what trusts share",
        "ProviderSpecialtyCS": "staff is not in what trusts share",
        "StopReason": "free text is not in what trusts share",
        "ValueAsString": "free text is not in what trusts share; use ValueAsConcept",
        "DoseEra": "use DrugExposure with Quantity or DaysSupply",
        "VisitDetail": "use VisitOccurrence",
    }
)


@dataclass(frozen=True, slots=True)
class Imported:
    """`left_out`: a sentence for each key that was left out since it has no effect on who is in the cohort."""

    criteria: Criteria
    left_out: tuple[str, ...]


def from_circe(text: str) -> Criteria:
    """Return the criteria of a JSON text.

    Raises
    ------
    CriteriaError
        The text is not JSON, too large, or holds what can't be kept; the path says where.
    """
    return read_circe(text).criteria


def read_circe(text: str) -> Imported:
    """Like `from_circe`, and tell what was left out."""
    document = _without_nothing(_json(text), 0)
    if not isinstance(document, dict):
        raise CriteriaError("$", "Give a JSON object with PrimaryCriteria, as ATLAS exports it.")
    left_out = tuple(f"{key}: {why}." for key, why in _WITHOUT_EFFECT.items() if key in document)
    kept = {key: value for key, value in document.items() if key not in _WITHOUT_EFFECT}
    if not kept.get("CensorWindow"):
        kept.pop("CensorWindow", None)
    return Imported(_validated(kept), left_out)


def to_circe(criteria: Criteria) -> str:
    """Return the JSON that `from_circe` reads and other tools of OHDSI take."""
    return criteria.model_dump_json(by_alias=True, exclude_none=True, indent=2)


def _validated(document: Mapping[str, Any]) -> Criteria:
    try:
        return Criteria.model_validate_json(json.dumps(document), by_alias=True, by_name=False)
    except ValidationError as error:
        # A frozen key sorts first: what is not supported explains more than what it made missing.
        faults = sorted(
            error.errors(include_url=False, include_input=False), key=lambda one: "extra" not in one["type"]
        )
        raise _refusal(faults[0]) from None


def _refusal(fault: Any) -> CriteriaError:
    keys = fault["loc"]
    path = "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    name = str(keys[-1]) if keys else ""
    if fault["type"] == "extra_forbidden":
        remedy = _REMEDIES.get(name, "take it out, or write the cohort as SQL")
        return CriteriaError(path, f'"{name}" is not supported here: {remedy}.')
    if name in _REMEDIES:
        return CriteriaError(path, f'"{name}" is not supported: {_REMEDIES[name]}.')
    return CriteriaError(path, f"{fault['msg'].removeprefix('Value error, ')}.")


def _json(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise CriteriaError("$", f"The JSON is over {MAX_CHARACTERS} characters; use fewer or smaller concept sets.")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_not_a_number)
    except json.JSONDecodeError as error:
        raise CriteriaError("$", f"This is not JSON: line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _too_deep() from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for at, (key, _) in enumerate(pairs):
        if any(key == other for other, _ in pairs[:at]):
            raise CriteriaError("$", f'The key "{key[:60]}" stands twice in one object; keep one.')
    return dict(pairs)


def _not_a_number(name: str) -> Any:
    raise CriteriaError("$", f"{name} is not a number that JSON knows; give a finite number.")


def _without_nothing(value: Any, depth: int) -> Any:
    """Drop nulls and empty lists, with which tools of OHDSI write what is not set."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        held = {key: _without_nothing(inner, depth + 1) for key, inner in value.items()}
        return {key: inner for key, inner in held.items() if inner is not None and inner != []}
    return [_without_nothing(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def _too_deep() -> CriteriaError:
    return CriteriaError("$", f"The JSON is nested over {MAX_DEPTH} deep; flatten the groups.")
