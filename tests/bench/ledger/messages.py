"""What the ledger hears and says: an event of about 900 bytes, as those of the federation are."""

from schemas.ids import Count, Id
from schemas.message import Message, Record
from schemas.topics import Acl, Topic, own_topics

NAME = "ledger"
AUDITOR = "auditor"
WRITER = "ledger-writer"
PARTITIONS = 6
POSTED = Topic("ledger.posted", writers=(WRITER,), readers=(NAME,), partitions=PARTITIONS)
BOOKED = Topic("ledger.booked", writers=(NAME,), readers=(AUDITOR,), partitions=PARTITIONS)
TOPICS = (POSTED, BOOKED, *own_topics(NAME), *own_topics(AUDITOR))
RULES = tuple(
    rule
    for name in (NAME, AUDITOR)
    for rule in (
        *(Acl(name, "READ", "TOPIC", topic.name) for topic in TOPICS if name in topic.readers),
        *(Acl(name, "WRITE", "TOPIC", topic.name) for topic in TOPICS if name in topic.writers),
        Acl(name, "READ", "GROUP", name),
    )
)


class Line(Record):
    name: str
    digest: str
    persons: Count
    share: float


class Posted(Message, type="trustflow.ledger.posted.v1", topic=POSTED.name, key="account_id"):
    account_id: Id
    number: Count
    lines: tuple[Line, ...]


class Booked(Message, type="trustflow.ledger.booked.v1", topic=BOOKED.name, key="account_id"):
    account_id: Id
    number: Count
