"""What the counter hears and says."""

from typing import Literal

from schemas.ids import Count, Id
from schemas.message import Accepted, Command, Message, Rejected
from schemas.topics import Acl, Topic, own_topics

NAME = "counter"
COMMANDS = Topic("counter.commands", writers=("quill",), readers=(NAME,))
EVENTS = Topic("counter.events", writers=(NAME,), readers=())
TOPICS = (COMMANDS, EVENTS, *own_topics(NAME))
REDRIVE = TOPICS[3]
LOST = Topic("counter.nowhere", writers=(NAME,), readers=())
SUBSCRIPTION = "^(counter\\.commands|redrive\\.counter)$"
RULES = (
    *(Acl(NAME, "READ", "TOPIC", topic.name) for topic in TOPICS if NAME in topic.readers),
    *(Acl(NAME, "WRITE", "TOPIC", topic.name) for topic in TOPICS if NAME in topic.writers),
    Acl(NAME, "READ", "GROUP", NAME),
)

Manner = Literal[
    "plain",
    "transient",
    "waits",
    "bug",
    "bad_sql",
    "bug_for_now",
    "reject",
    "late",
    "remind",
    "job",
    "job_rejected",
    "job_transient",
    "lost",
]


class Add(Command, type="trustflow.counter.add.v1", topic=COMMANDS.name, key="counter_id"):
    """Count ``number``, in the given manner."""

    counter_id: Id
    number: Count
    manner: Manner = "plain"


class Added(Message, type="trustflow.counter.added.v1", topic=EVENTS.name, key="counter_id"):
    counter_id: Id
    number: Count


class Reminded(Message, type="trustflow.counter.reminded.v1", topic=EVENTS.name, key="counter_id"):
    counter_id: Id


class Lost(Message, type="trustflow.counter.lost.v1", topic=LOST.name, key="counter_id"):
    """Said on a topic that is not there before a test makes it."""

    counter_id: Id


class NotDone(Message, type="trustflow.counter.not_done.v1", topic=EVENTS.name, key="counter_id"):
    counter_id: Id
    code: str


class CounterAccepted(Accepted, type="trustflow.counter.accepted.v1", topic=EVENTS.name, key="subject"):
    pass


class CounterRejected(Rejected, type="trustflow.counter.rejected.v1", topic=EVENTS.name, key="subject"):
    pass
