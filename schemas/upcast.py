"""Reading what was said in an older major version: pure dict to dict, one step for each major, before validation.

An upcaster trusts nothing: what it does not understand it leaves for validation to refuse.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Payload = dict[str, Any]
Upcaster = Callable[[Payload], Payload]

UNSAID = "reason_not_said"
"""The code of a failure whose sender gave none."""


def study_advanced_v2(old: Payload) -> Payload:
    """In v1 ``state``, ``final`` and ``code`` could contradict each other: the state is believed.

    v1 did not say how far a failed study had come: nothing is proven beyond that it was asked for.
    """
    kept = {name: value for name, value in old.items() if name not in {"state", "final", "code"}}
    state, final = old.get("state"), old.get("final", False)
    if state == "failed":
        return kept | {"state": "queued", "failure": {"code": old.get("code") or UNSAID, "final": final}}
    # a tuple: what came as the state need not be hashable
    return kept | {"state": state, "arrived": final if state in ("archived", "converted") else False}


UPCASTERS: Mapping[str, tuple[str, Upcaster]] = MappingProxyType(
    {
        "trustflow.trust.study_advanced.v1": ("trustflow.trust.study_advanced.v2", study_advanced_v2),
    }
)
"""Old type to the next major's type, and the step between them."""


def newest(type_: str) -> str:
    """The type as which a message of this type is read."""
    while type_ in UPCASTERS:
        type_, _ = UPCASTERS[type_]
    return type_


def upcast(type_: str, payload: bytes) -> bytes:
    """The payload as the newest major version says it; one that is no JSON object stays as it is, to be refused."""
    if type_ not in UPCASTERS:
        return payload
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return payload
    return json.dumps(_stepped(type_, said)).encode() if isinstance(said, dict) else payload


def _stepped(type_: str, said: Payload) -> Payload:
    while type_ in UPCASTERS:
        type_, step = UPCASTERS[type_]
        said = step(said)
    return said
