"""What is said along the chain: a numbered command, and its number passed on twice; each strand is one Kafka key."""

from typing import Annotated

from pydantic import Field

from schemas.ids import Count, Id
from schemas.message import Accepted, Command, Message, Rejected
from schemas.topics import AUDIT_EVENTS, HUB_TOPICS, Acl, Topic, own_topics

ALPHA, BETA, GAMMA = "alpha", "beta", "gamma"
CHAIN = (ALPHA, BETA, GAMMA)
DELTA = "delta"
"""Stands alone and is fed anything."""

PARTITIONS = 6
COMMANDS = Topic("chain.commands", ("quill",), (ALPHA,), PARTITIONS)
ALPHA_EVENTS = Topic("alpha.events", (ALPHA,), (BETA,), PARTITIONS)
BETA_EVENTS = Topic("beta.events", (BETA,), (GAMMA,), PARTITIONS)
DELTA_COMMANDS = Topic("delta.commands", ("quill",), (DELTA,))
LINKS = (COMMANDS, ALPHA_EVENTS, BETA_EVENTS)
ROLES = (*CHAIN, DELTA)
AUDIT = next(topic for topic in HUB_TOPICS if topic.name == AUDIT_EVENTS)
OURS = (*LINKS, DELTA_COMMANDS, *(topic for role in ROLES for topic in own_topics(role)))
TOPICS = (*OURS, AUDIT)
RULES = (
    *(Acl(role, "READ", "TOPIC", topic.name) for topic in OURS for role in ROLES if role in topic.readers),
    *(Acl(role, "WRITE", "TOPIC", topic.name) for topic in OURS for role in ROLES if role in topic.writers),
    *(Acl(role, "WRITE", "TOPIC", AUDIT.name) for role in ROLES),
    *(Acl(role, "READ", "GROUP", role) for role in ROLES),
)


class Take(Command, type="trustflow.chain.take.v1", topic=COMMANDS.name, key="strand"):
    """Write down this number and pass it on."""

    strand: Id
    number: Count


class Taken(Accepted, type="trustflow.chain.taken.v1", topic=ALPHA_EVENTS.name, key="subject"):
    pass


class Refused(Rejected, type="trustflow.chain.refused.v1", topic=ALPHA_EVENTS.name, key="subject"):
    pass


class PassedOn(Message, type="trustflow.chain.passed_on.v1", topic=ALPHA_EVENTS.name, key="strand"):
    strand: Id
    number: Count


class Arrived(Message, type="trustflow.chain.arrived.v1", topic=BETA_EVENTS.name, key="strand"):
    strand: Id
    number: Count


class Probe(Command, type="trustflow.delta.probe.v1", topic=DELTA_COMMANDS.name, key="strand"):
    """Write down this number."""

    strand: Id
    number: Annotated[int, Field(ge=0, lt=2**31)]
    note: str = ""
    weights: tuple[float, ...] = ()
