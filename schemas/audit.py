"""Heads of audit chains: each participant says how far its account goes, and everybody who hears it keeps that."""

from typing import Annotated

from pydantic import Field

from schemas.ids import Id, Sha256, TrustId
from schemas.message import Message

Seq = Annotated[int, Field(ge=1)]


class HeadSealed(Message, type="trustflow.audit.head_sealed.v1", topic="audit.events", key="participant"):
    """A service's account ends, at this moment, with entry ``seq``, whose hash stands for all entries up to it."""

    participant: Id
    seq: Seq
    hash: Sha256


class TrustHeadSealed(
    Message, type="trustflow.trust.audit_head_sealed.v1", topic="trust.{trust_id}.events", key="trust_id"
):
    """The same of a trust's account; only the hash leaves the trust."""

    trust_id: TrustId
    seq: Seq
    hash: Sha256
