"""Signatures of what a trust says: Ed25519 (RFC 8032) over every CloudEvents attribute and the payload.

A trust signs with its own key; the hub holds its public keys as ``<trust>.pem`` in a folder. Several PEM blocks in a
file are all valid, so that a key can be replaced while records signed by the old one still arrive.
"""

import hashlib
import os
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from schemas.envelope import Header

SIGNATURE = "ce_signature"
KEY_ID = "ce_keyid"
PURPOSE = b"trustflow message, signature version 1\n"
"""A signature made for this purpose is good for no other."""

_PEM_END = b"-----END PUBLIC KEY-----"


class BadSignature(Exception):
    """Nobody can believe that this trust said this; the text names the remedy."""


def signed_bytes(headers: Iterable[Header], payload: bytes) -> bytes:
    """The bytes a signature covers: each attribute but the signature, sorted by name, then the payload.

    Every part has its length before it, so that nothing moves from one part into the next. ``content-type`` is the
    attribute ``datacontenttype`` (CloudEvents Kafka binding 1.0.2, section 3.2.1).
    """
    attributes = [(name, value) for name, value in headers if _is_attribute(name) and name != SIGNATURE]
    attributes.sort(key=lambda header: (header[0], header[1] is not None, header[1] or b""))
    parts = [part for name, value in attributes for part in (name.encode(), value)]
    return PURPOSE + b"".join(map(_with_length, (*parts, payload)))


@dataclass(frozen=True, slots=True)
class Signer:
    """A trust's own key."""

    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def open(cls, file: Path) -> Self:
        """Read the key, made where there is none: for its owner only.

        Raises
        ------
        TypeError
            The key is not one of Ed25519.
        """
        if not file.exists():
            _create_key(file)
        key = load_pem_private_key(file.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{file} holds no Ed25519 key: make one with `openssl genpkey -algorithm ed25519`")
        return cls(key)

    @property
    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signed(self, headers: Sequence[Header], payload: bytes) -> list[Header]:
        """These headers, and those that name the key and hold the signature, in base64."""
        named = [*headers, (KEY_ID, key_id(self.key.public_key()).encode())]
        return [*named, (SIGNATURE, b64encode(self.key.sign(signed_bytes(named, payload))))]


@dataclass(frozen=True, slots=True)
class Author:
    """Who says something: a participant, by its principal's name, and a trust's key."""

    participant: str
    signer: Signer | None = None

    @property
    def source(self) -> str:
        """The CloudEvents attribute."""
        return f"/{self.participant}"

    def signed(self, headers: list[Header], payload: bytes) -> list[Header]:
        return self.signer.signed(headers, payload) if self.signer else headers


@dataclass(slots=True)
class TrustKeys:
    """The public keys of every trust; a file that has changed is read again, no restart is needed."""

    folder: Path
    _known: dict[str, tuple[tuple[int, ...], Mapping[str, Ed25519PublicKey]]] = field(default_factory=dict)

    def verify(self, trust: str, headers: Sequence[Header], payload: bytes) -> None:
        """Return when the trust itself said this; raises BadSignature otherwise."""
        name, signature = _only(headers, KEY_ID), _only(headers, SIGNATURE)
        key = self._keys(trust).get(name.decode("latin-1"))
        if key is None:
            raise BadSignature(f"it is signed by a key that {trust}.pem does not hold: ask the trust for its new key")
        try:
            key.verify(decoded_signature(signature), signed_bytes(headers, payload))
        except (InvalidSignature, ValueError):
            raise BadSignature("the signature is not of these bytes: something was changed, or forged") from None

    def admit(self, trust: str, public_pem: bytes) -> None:
        """Believe this key of the trust as well, from now on."""
        file = self._file(trust)
        known = file.read_bytes() if file.exists() else b""
        if public_pem not in known:
            fresh = file.with_suffix(".new")
            fresh.write_bytes(known + public_pem)
            fresh.replace(file)

    def _keys(self, trust: str) -> Mapping[str, Ed25519PublicKey]:
        file = self._file(trust)
        try:
            stat = file.stat()
        except FileNotFoundError:
            raise BadSignature(f"no key of this trust is known: put its {trust}.pem among the trusts' keys") from None
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if trust not in self._known or self._known[trust][0] != stamp:
            self._known[trust] = (stamp, {key_id(key): key for key in _public_keys(file)})
        return self._known[trust][1]

    def _file(self, trust: str) -> Path:
        return self.folder / f"{trust}.pem"


def key_id(key: Ed25519PublicKey) -> str:
    """16 hexadecimal digits that name a key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _public_keys(file: Path) -> list[Ed25519PublicKey]:
    blocks = [block + _PEM_END for block in file.read_bytes().split(_PEM_END)[:-1]]
    try:
        keys = [load_pem_public_key(block) for block in blocks]
    except ValueError:
        raise BadSignature(f"{file.name} is no PEM of public keys: install it again") from None
    return [key for key in keys if isinstance(key, Ed25519PublicKey)]


def _create_key(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as created:
        created.write(pem)


def _is_attribute(name: str) -> bool:
    return name.startswith("ce_") or name == "content-type"


def _only(headers: Iterable[Header], name: str) -> bytes:
    values = [value for known, value in headers if known == name]
    if len(values) != 1 or not values[0]:
        raise BadSignature(f"header {name} must be there once: a trust signs what it says")
    return values[0]


def decoded_signature(signature: bytes) -> bytes:
    """The bytes of a signature in its one spelling: base64 leaves bits of the last character unused."""
    raw = b64decode(signature, validate=True)
    if b64encode(raw) != signature:
        raise ValueError("not the canonical base64")
    return raw


def _with_length(part: bytes | None) -> bytes:
    """Null is longer by nothing than the empty text, and another value: its length is -1."""
    return struct.pack(">i", -1) if part is None else struct.pack(">i", len(part)) + part
