"""Every message there is, by its CloudEvents type."""

from collections.abc import Iterator
from functools import cache

from schemas import aggregation, audit, cohort, imaging, operations, project, training, trust, trust_imaging
from schemas.message import REGISTRY, Message, Record
from schemas.upcast import newest

MODULES = (project, cohort, imaging, training, aggregation, trust, trust_imaging, operations, audit)


def message_class(type_: str) -> type[Message] | None:
    """What a message of this type is read as: the newest major version that it can be upcast to."""
    return REGISTRY.get(newest(type_))


def newer_major_of_known(type_: str) -> bool:
    """True when only the major version is unknown: the sender runs a newer release."""
    name, _, version = type_.rpartition(".v")
    return bool(name) and version.isdigit() and any(known.startswith(f"{name}.v") for known in REGISTRY)


@cache
def declared_fields() -> frozenset[str]:
    """Every name that a field of a message, or of a value inside one, has."""
    return frozenset(name for record in _subclasses(Record) for name in record.model_fields)


def _subclasses(record: type[Record]) -> Iterator[type[Record]]:
    for subclass in record.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
