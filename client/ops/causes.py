"""What caused what: the causation tree of everything that has to do with one id."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bus.speaker import Heard
from schemas.message import Rejected
from schemas.topics import DEAD_LETTER_PREFIX, REDRIVE_PREFIX

COPIES = (DEAD_LETTER_PREFIX, REDRIVE_PREFIX)

TELLING = (
    "trust_id",
    "actor",
    "operator",
    "action",
    "target",
    "count",
    "state",
    "outcome",
    "persons",
    "round",
    "kind",
    "order",
    "examples",
    "code",
    "reason",
)
"""Fields that say in one line what a message is about."""


@dataclass(slots=True)
class Node:
    """One message; its copies that were ``put_aside`` or ``redriven``, and ``children``, what it caused."""

    heard: Heard
    put_aside: list[Heard] = field(default_factory=list)
    redriven: list[Heard] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """A node as it is printed: how deep, and how many seconds after its cause."""

    depth: int
    after_s: float | None
    node: Node


def related(heard: Iterable[Heard], id_: str) -> list[Heard]:
    """Everything in the same correlations as any record that names the id, and records of that key without envelope."""
    everything = list(heard)
    named = [record for record in everything if _names(record, id_)]
    correlations = {record.envelope.correlationid for record in named if record.envelope}
    return [
        record
        for record in everything
        if (record.envelope.correlationid in correlations if record.envelope else record.key == id_)
    ]


def _names(record: Heard, id_: str) -> bool:
    if record.envelope is None:
        return record.key == id_
    envelope = record.envelope
    owner = getattr(record.message, "project_id", None)
    return id_ in (envelope.id, envelope.correlationid, envelope.causationid, envelope.subject, record.key, owner)


def tree(heard: Iterable[Heard]) -> list[Node]:
    """Roots in the order of time: whatever has no cause among the records, or only itself in a circle."""
    nodes = _nodes(heard)
    roots: list[Node] = []
    for node in nodes.values():
        parent = nodes.get(_cause(node) or "")
        (parent.children if parent else roots).append(node)
    return [*roots, *_circles(nodes, roots)]


def _circles(nodes: dict[str, Node], roots: list[Node]) -> Iterator[Node]:
    """Whoever writes events may get causes wrong; a circle is opened at its earliest node so that nothing is hidden."""
    reached = {id(step.node) for step in walk(roots)}
    for node in nodes.values():
        if id(node) not in reached:
            nodes[_cause(node) or ""].children.remove(node)
            reached |= {id(step.node) for step in walk([node])}
            yield node


def _nodes(heard: Iterable[Heard]) -> dict[str, Node]:
    """By event id; a record that was delivered twice is one node, a copy belongs to its original."""
    nodes: dict[str, Node] = {}
    for record in sorted(heard, key=lambda record: (record.topic.startswith(COPIES), time_of(record), record.offset)):
        name = record.envelope.id if record.envelope else _origin(record)
        node = nodes.setdefault(name, Node(record))
        if record.topic.startswith(DEAD_LETTER_PREFIX):
            node.put_aside.append(record)
        elif record.topic.startswith(REDRIVE_PREFIX):
            node.redriven.append(record)
    return dict(sorted(nodes.items(), key=lambda item: time_of(item[1].heard)))


def _origin(record: Heard) -> str:
    return record.origin or f"{record.topic}/{record.partition}/{record.offset}"


def _cause(node: Node) -> str | None:
    return node.heard.envelope.causationid if node.heard.envelope else None


def time_of(record: Heard) -> datetime:
    return record.envelope.time if record.envelope else record.at


def walk(roots: Sequence[Node]) -> Iterator[Step]:
    """Each node after its cause. An only child stays at its cause's depth: a long chain does not run off the page."""
    stack = [Step(0, None, root) for root in reversed(roots)]
    while stack:
        step = stack.pop()
        yield step
        children = step.node.children
        deeper = step.depth + (1 if len(children) > 1 or step.after_s is None else 0)
        stack.extend(Step(deeper, _gap_s(step.node, child), child) for child in reversed(children))


def _gap_s(cause: Node, effect: Node) -> float:
    return (time_of(effect.heard) - time_of(cause.heard)).total_seconds()


def told(record: Heard) -> str:
    """The telling fields of a message in one line."""
    values = ((name, getattr(record.message, name, None)) for name in TELLING)
    return ", ".join(f"{name} {value}" for name, value in values if value is not None)


def is_refusal(node: Node) -> bool:
    return isinstance(node.heard.message, Rejected)


def as_record(heard: Heard) -> dict[str, Any]:
    """A record as JSON values, for scripts."""
    envelope = heard.envelope
    return {
        "topic": heard.topic,
        "partition": heard.partition,
        "offset": heard.offset,
        "at": heard.at.isoformat(),
        "key": heard.key,
        "type": envelope.type if envelope else None,
        "id": envelope.id if envelope else None,
        "source": envelope.source if envelope else None,
        "time": envelope.time.isoformat() if envelope else None,
        "correlationid": envelope.correlationid if envelope else None,
        "causationid": envelope.causationid if envelope else None,
        "fault": heard.fault,
        "put_aside_by": heard.put_aside_by,
        "redriven_by": heard.redriven_by,
        "data": heard.message.model_dump(mode="json", exclude_none=True) if heard.message else None,
    }
