"""Every message there is, by its CloudEvents type."""

from schemas import aggregation, cohort, imaging, project, training, trust
from schemas.message import REGISTRY, Message

MODULES = (project, cohort, imaging, training, aggregation, trust)


def message_class(type_: str) -> type[Message] | None:
    return REGISTRY.get(type_)


def newer_major_of_known(type_: str) -> bool:
    """True when only the major version is unknown: the sender runs a newer release."""
    name, _, version = type_.rpartition(".v")
    return bool(name) and version.isdigit() and any(known.startswith(f"{name}.v") for known in REGISTRY)
