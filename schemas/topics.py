"""Every topic, who may write it and who may read it: the broker, its ACLs and the documents are made from this.

The operator may read everything and write nothing; the client is the command line and any UI backend.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

ADMINISTRATOR = "admin"
CLIENT = "client"
OPERATOR = "operator"
SERVICES = ("project", "cohort", "imaging_ingest", "training_coordinator", "aggregator")

Operation = Literal["READ", "WRITE", "DESCRIBE"]
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
    resource: Literal["TOPIC", "GROUP"]
    name: str
    prefixed: bool = False


HUB_TOPICS = (
    Topic("project.commands", writers=(CLIENT,), readers=("project",)),
    Topic("cohort.commands", writers=(CLIENT,), readers=("cohort",)),
    Topic("imaging.commands", writers=(CLIENT,), readers=("imaging_ingest",)),
    Topic("training.commands", writers=(CLIENT,), readers=("training_coordinator",)),
    Topic("project.events", ("project",), ("cohort", "imaging_ingest", "training_coordinator", CLIENT)),
    Topic("cohort.events", ("cohort",), ("cohort", "project", "imaging_ingest", "training_coordinator", CLIENT)),
    Topic("imaging.events", ("imaging_ingest",), ("training_coordinator", CLIENT)),
    Topic("training.events", ("training_coordinator",), ("training_coordinator", "aggregator", CLIENT)),
    Topic("aggregation.events", ("aggregator",), ("training_coordinator", CLIENT)),
)


def trust_principal(trust: str) -> str:
    return f"trust-{trust}"


def trust_topics(trust: str) -> tuple[Topic, ...]:
    node = trust_principal(trust)
    commanders = ("cohort", "imaging_ingest", "training_coordinator")
    return (
        Topic(f"trust.{trust}.commands", writers=commanders, readers=(node,), partitions=1),
        Topic(f"trust.{trust}.events", writers=(node,), readers=("project", *commanders), partitions=1),
        Topic(f"trust.{trust}.updates", writers=(node,), readers=("aggregator",), partitions=1),
    )


def subscription(principal: str) -> str:
    """Everything this service reads, as one regular expression: trusts may join at any time."""
    hub = (re.escape(topic.name) for topic in HUB_TOPICS if principal in topic.readers)
    trusts = (re.escape(topic.name) for topic in trust_topics("any") if principal in topic.readers)
    names = (*hub, *(name.replace("any", "[a-z][a-z0-9-]*") for name in trusts))
    return f"^({'|'.join(names)})$"


def dead_letters(topic: Topic) -> Iterator[Topic]:
    """``<topic>.dlq.<group>``: what that group could not read (dead) or not read yet (parked), bytes unchanged."""
    for reader in topic.readers:
        if reader != CLIENT:
            yield Topic(f"{topic.name}.dlq.{reader}", (reader,), (), partitions=1, max_bytes=LARGEST_DEAD_LETTER)


def all_topics(trusts: Iterable[str]) -> tuple[Topic, ...]:
    live = [*HUB_TOPICS, *(topic for trust in trusts for topic in trust_topics(trust))]
    return (*live, *(dead for topic in live for dead in dead_letters(topic)))


def principals(trusts: Iterable[str]) -> tuple[str, ...]:
    return (*SERVICES, CLIENT, OPERATOR, *(trust_principal(trust) for trust in trusts))


def acls(trusts: Iterable[str]) -> tuple[Acl, ...]:
    """The whole set; whatever is not in it is denied. A group of consumers is named after its principal."""
    trusts = tuple(trusts)
    return (*_topic_acls(all_topics(trusts)), *_group_acls(principals(trusts)))


def _topic_acls(topics: Iterable[Topic]) -> Iterator[Acl]:
    for topic in topics:
        for writer in topic.writers:
            yield Acl(writer, "WRITE", "TOPIC", topic.name)
        for reader in (*topic.readers, OPERATOR):
            yield Acl(reader, "READ", "TOPIC", topic.name)


def _group_acls(names: Iterable[str]) -> Iterator[Acl]:
    for name in names:
        yield Acl(name, "READ", "GROUP", name)
