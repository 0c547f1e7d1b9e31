"""UIDs that scripts make: DicomEdit's hash, and stand-ins keyed by the trust."""

import hashlib
import re
import uuid

from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.script.errors import CannotError

LONGEST_UID = 64
LONGEST_PREFIX = 40
_PREFIX = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*")


def hash_uid(value: str) -> str:
    """Return DicomEdit's hash of `value`: a version 5 UUID of its bytes, without a name space, below 2.25 (PS3.5 B.2).

    Anybody with a list of candidates can confirm a match. What a script sees is keyed by the trust already.
    """
    digest = hashlib.sha1(value.encode(), usedforsecurity=False).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def mapped_uid(keys: DeidKeys, value: str, prefix: str) -> str:
    """Return the UID below `prefix` that stands for `value`: the same whenever and wherever this trust asks."""
    if len(prefix) > LONGEST_PREFIX or not _PREFIX.fullmatch(prefix):
        raise CannotError(f"a prefix is a UID of at most {LONGEST_PREFIX} characters")
    number = keys.uid(f"{prefix}\0{value}").rpartition(".")[2]
    return f"{prefix}.{number}"[:LONGEST_UID]
