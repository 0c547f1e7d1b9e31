"""The cohort as approved: its members never grow afterwards, and its digest names it outside the trust."""

import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# DICOM PS3.4 C.2.2.2: an empty value matches everything, * and ? are wildcards, \ separates a list.
_MATCHES_MANY = frozenset("*?\\")


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One person's one image study, by the accession number the PACS knows it by; never leaves the trust."""

    person_id: int
    accession: str


@dataclass(frozen=True, slots=True)
class FrozenCohort:
    """`digest`: HMAC-SHA256 (hex) of the accessions, keyed by the trust. `left_out`: accessions unfit to ask for."""

    digest: str
    members: tuple[Member, ...]
    left_out: int = 0


def freeze(members: Iterable[Member], key: bytes) -> FrozenCohort:
    """Freeze what a query found.

    An accession that is empty, holds a wildcard, has outer blanks or belongs to two persons is left out.

    Raises
    ------
    ValueError
        The trust's key is shorter than 16 bytes.
    """
    found = frozenset(members)
    owners = Counter(member.accession for member in found)
    fit = tuple(sorted(member for member in found if _fit(member.accession) and owners[member.accession] == 1))
    return FrozenCohort(_digest(fit, key), fit, len(owners) - len(fit))


def refreeze(old: FrozenCohort, now: Iterable[Member], key: bytes) -> FrozenCohort:
    """Return what is left of `old` after looking again: members can go (an opt-out), none can come."""
    return freeze(frozenset(old.members) & frozenset(now), key)


def chosen(members: Iterable[Member], limit: int | None, key: bytes) -> list[Member]:
    """Return the members of `limit` accession numbers, the same ones whenever asked: by a keyed digest, not a value."""
    found = list(members)
    if limit is None:
        return found
    ordered = sorted({member.accession for member in found}, key=lambda one: hmac.digest(key, one.encode(), "sha256"))
    kept = frozenset(ordered[:limit])
    return [member for member in found if member.accession in kept]


def _fit(accession: str) -> bool:
    return bool(accession) and accession == accession.strip() and not _MATCHES_MANY & set(accession)


def _digest(members: tuple[Member, ...], key: bytes) -> str:
    if len(key) < 16:  # noqa: PLR2004  128 bits
        raise ValueError("the trust's key is shorter than 16 bytes; make a new one")
    digest = hmac.new(key, digestmod="sha256")
    for accession in sorted(member.accession for member in members):
        encoded = accession.encode()
        digest.update(len(encoded).to_bytes(4) + encoded)
    return digest.hexdigest()
