"""Every topic, who may write it and who may read it: the broker, its ACLs and the documents are made from this.

The operator reads everything; what it writes is an account of its acts, and records that were put aside, to be tried
again. The client is the command line, the backend any UI backend.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

ADMINISTRATOR = "admin"
CLIENT = "client"
BACKEND = "backend"
SPEAKERS = (CLIENT, BACKEND)
"""Who speaks for people: writes commands, reads events."""

OPERATOR = "operator"
EVERY_TRUST = "trust-*"
"""Stands for the principal of each trust."""

PROJECTORS = ("gateway",)
"""Who keeps views and does nothing else: rebuilt instead of redriven, since a view depends on the order of events."""

SERVICES = ("project", "cohort", "imaging_ingest", "training_coordinator", "aggregator", *PROJECTORS)
WATCHERS = (*PROJECTORS, *SPEAKERS)
"""Who reads every event of the hub."""

Operation = Literal[
    "READ",
    "WRITE",
    "CREATE",
    "DELETE",
    "DESCRIBE",
    "ALL",
    "ALTER",
    "CLUSTER_ACTION",
    "DESCRIBE_CONFIGS",
    "ALTER_CONFIGS",
    "IDEMPOTENT_WRITE",
]
"""Ours are the first five; the others are Kafka's, and on a broker somebody may have used them by hand."""

Resource = Literal["TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID"]
TRUST_PREFIX = "trust-"
AUDIT_EVENTS = "audit.events"
TRUST_TOPIC = re.compile(r"trust\.(?P<trust>[a-z][a-z0-9-]{0,30})\.[a-z]+")
ANY_TRUST = "any"
REPLAY_PREFIX = "replay."
DEAD_LETTER_PREFIX = "dlq."
REDRIVE_PREFIX = "redrive."
FOR_EVER = -1
LARGEST_RECORD = 2**20
LARGEST_DEAD_LETTER = LARGEST_RECORD + 2**16
"""A dead letter is the whole record and headers that name its origin."""


@dataclass(frozen=True, slots=True)
class Topic:
    """``writers`` and ``readers`` are principals; ``max_bytes`` bounds a record; ``retention_ms`` -1: kept for ever."""

    name: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 3
    retention_ms: int = FOR_EVER
    max_bytes: int = LARGEST_RECORD


@dataclass(frozen=True, slots=True)
class Acl:
    principal: str
    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """What a principal may take of one broker; who takes more is slowed down, not refused.

    Bytes a second written and read, percent of one thread's time, topics and partitions changed a second.
    """

    principal: str
    producer_byte_rate: float
    consumer_byte_rate: float
    request_percentage: float
    controller_mutation_rate: float


HUB_TOPICS = (
    Topic("project.commands", writers=SPEAKERS, readers=("project",)),
    Topic("cohort.commands", writers=SPEAKERS, readers=("cohort",)),
    Topic("imaging.commands", writers=SPEAKERS, readers=("imaging_ingest",)),
    Topic("training.commands", writers=SPEAKERS, readers=("training_coordinator",)),
    Topic("project.events", ("project",), ("cohort", "imaging_ingest", "training_coordinator", *WATCHERS)),
    Topic("cohort.events", ("cohort",), ("cohort", "project", "imaging_ingest", "training_coordinator", *WATCHERS)),
    Topic("imaging.events", ("imaging_ingest",), ("training_coordinator", *WATCHERS)),
    Topic("training.events", ("training_coordinator",), ("training_coordinator", "aggregator", *WATCHERS)),
    Topic("aggregation.events", ("aggregator",), ("training_coordinator", *WATCHERS)),
    Topic(AUDIT_EVENTS, SERVICES, (*SERVICES, EVERY_TRUST), partitions=1),
    Topic("operator.events", (OPERATOR,), (), partitions=1),
)


def trust_principal(trust: str) -> str:
    return f"{TRUST_PREFIX}{trust}"


def trust_topics(trust: str) -> tuple[Topic, ...]:
    node = trust_principal(trust)
    commanders = ("cohort", "imaging_ingest", "training_coordinator")
    return (
        Topic(f"trust.{trust}.commands", writers=commanders, readers=(node,), partitions=1),
        Topic(f"trust.{trust}.events", writers=(node,), readers=("project", *commanders), partitions=1),
        Topic(f"trust.{trust}.updates", writers=(node,), readers=("aggregator",), partitions=1),
    )


def dead_letter_topic(consumer: str) -> str:
    return f"{DEAD_LETTER_PREFIX}{consumer}"


def redrive_topic(consumer: str) -> str:
    return f"{REDRIVE_PREFIX}{consumer}"


def own_topics(consumer: str) -> tuple[Topic, ...]:
    """``dlq.<group>``: what that group could not read (dead) or not read yet (parked), bytes unchanged.

    ``redrive.<group>``: what an operator had put aside records tried again by, on nobody's topic but this group's;
    a projector has none.
    """
    put_aside = Topic(dead_letter_topic(consumer), (consumer,), (), partitions=1, max_bytes=LARGEST_DEAD_LETTER)
    if consumer in PROJECTORS:
        return (put_aside,)
    again = Topic(redrive_topic(consumer), (OPERATOR,), (consumer,), partitions=1, max_bytes=LARGEST_DEAD_LETTER)
    return (put_aside, again)


def subscription(consumer: str) -> str:
    """Everything this consumer reads, as one regular expression: trusts may join at any time."""
    read = (topic for topic in (*HUB_TOPICS, *own_topics(consumer)) if _reads(topic, consumer))
    return f"^({'|'.join((*(re.escape(topic.name) for topic in read), *_trust_patterns(consumer)))})$"


def consumers(trusts: Iterable[str]) -> tuple[str, ...]:
    """Every group of consumers; it is named after its principal."""
    return (*SERVICES, *map(trust_principal, trusts))


def all_topics(trusts: Iterable[str]) -> tuple[Topic, ...]:
    trusts = tuple(trusts)
    live = (*HUB_TOPICS, *(topic for trust in trusts for topic in trust_topics(trust)))
    return (*live, *(topic for consumer in consumers(trusts) for topic in own_topics(consumer)))


def principals(trusts: Iterable[str]) -> tuple[str, ...]:
    return (*consumers(trusts), *SPEAKERS, OPERATOR)


def quotas(trusts: Iterable[str]) -> tuple[Quota, ...]:
    """People and trusts speak in messages of some kilobytes; a service reads every trust, and all of it on a rebuild.

    Nobody but the operator makes topics, so nobody else has a share of the controller worth naming.
    """
    mib = float(2**20)
    nodes = map(trust_principal, trusts)
    return (
        *(Quota(service, 32 * mib, 64 * mib, 200.0, 1.0) for service in SERVICES),
        *(Quota(principal, 2 * mib, 16 * mib, 50.0, 1.0) for principal in (*nodes, *SPEAKERS)),
        Quota(OPERATOR, 8 * mib, 64 * mib, 100.0, 10.0),
    )


@cache
def writers(topic: str) -> tuple[str, ...] | None:
    """Return who may write a live topic, or nothing where no topic of that name is declared."""
    trust = TRUST_TOPIC.fullmatch(topic)
    declared = (*HUB_TOPICS, *(trust_topics(trust["trust"]) if trust else ()))
    return next((known.writers for known in declared if known.name == topic), None)


def may_say(source: str, topic: str) -> bool:
    """Whether a writer of this topic may name itself so: ``/<principal>``, a UI backend with a path of its own behind.

    A topic that is not declared exists on no broker of ours: there is no rule for it.
    """
    allowed = writers(topic)
    named = (f"/{BACKEND}" if source.startswith(f"/{BACKEND}/") else source).removeprefix("/")
    return allowed is None or (source.startswith("/") and named in allowed)


def speaking_trust(topic: str) -> str | None:
    """Return the trust that alone writes this topic, if it is one."""
    trust = TRUST_TOPIC.fullmatch(topic)
    return trust["trust"] if trust and writers(topic) == (trust_principal(trust["trust"]),) else None


def acls(trusts: Iterable[str]) -> tuple[Acl, ...]:
    """The whole set; whatever is not in it is denied."""
    trusts = tuple(trusts)
    nodes = tuple(map(trust_principal, trusts))
    return (*_topic_acls(all_topics(trusts), nodes), *_group_acls(principals(trusts)), *_operator_acls())


def _reads(topic: Topic, consumer: str) -> bool:
    return consumer in topic.readers or (EVERY_TRUST in topic.readers and consumer.startswith(TRUST_PREFIX))


def _trust_patterns(consumer: str) -> Iterator[str]:
    """A node reads what is its own; a service reads it of every trust."""
    own = consumer.removeprefix(TRUST_PREFIX) if consumer.startswith(TRUST_PREFIX) else None
    for topic in trust_topics(own or ANY_TRUST):
        if consumer in topic.readers:
            name = re.escape(topic.name)
            yield name if own else name.replace(ANY_TRUST, "[a-z][a-z0-9-]*")


def _topic_acls(topics: Iterable[Topic], nodes: tuple[str, ...]) -> Iterator[Acl]:
    for topic in topics:
        for writer in topic.writers:
            yield Acl(writer, "WRITE", "TOPIC", topic.name)
        readers = (*topic.readers, *(nodes if EVERY_TRUST in topic.readers else ()), OPERATOR)
        for reader in dict.fromkeys(readers):
            if reader != EVERY_TRUST:
                yield Acl(reader, "READ", "TOPIC", topic.name)


def _group_acls(names: Iterable[str]) -> Iterator[Acl]:
    for name in names:
        yield Acl(name, "READ", "GROUP", name)
    for name in SPEAKERS:
        yield Acl(name, "READ", "GROUP", f"{name}.", prefixed=True)


def _operator_acls() -> Iterator[Acl]:
    """Private copies of what was said, made to be looked at (``replay.<name>``), and how far every group is."""
    for operation in ("READ", "WRITE", "CREATE", "DELETE"):
        yield Acl(OPERATOR, operation, "TOPIC", REPLAY_PREFIX, prefixed=True)
    yield Acl(OPERATOR, "DESCRIBE", "GROUP", "*")
