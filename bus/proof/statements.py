"""Sentences that a trust signs on their own, to be shown to others later: apart from the message that brings them."""

from base64 import b64encode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bus.proof.signing import BadSignature, Signer, decoded_signature

PURPOSE = b"trustflow statement, signature version 1\n"
"""A signature made for this purpose is good for no other."""


def sign(signer: Signer, statement: bytes) -> str:
    """Return the Ed25519 signature of the statement, in base64."""
    return b64encode(signer.key.sign(PURPOSE + statement)).decode()


def verify(public_pem: bytes, statement: bytes, signature: str) -> None:
    """Return when the key's owner signed exactly this; raises BadSignature otherwise."""
    key = load_pem_public_key(public_pem)
    if not isinstance(key, Ed25519PublicKey):
        raise BadSignature("the key is not one of Ed25519: ask the trust for its public key")
    try:
        key.verify(decoded_signature(signature.encode()), PURPOSE + statement)
    except (InvalidSignature, ValueError):
        raise BadSignature("the signature is not of this statement: something was changed, or forged") from None
