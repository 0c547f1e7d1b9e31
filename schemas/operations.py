"""What operators do: each act is said before its first change and after its last, so that one cut short is seen."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.ids import Code, Count, Id, Sentence, UserId
from schemas.message import Message, Record

MOST_LETTERS = 10_000
"""Dead letters that one act may name: its message stays below the limit of a payload."""

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class LetterPlace(Record):
    """Where a dead letter lies: its own place on `dlq.<group>`, not that of the record it was made of."""

    topic: Annotated[str, StringConstraints(max_length=249)]
    partition: Count
    offset: Count

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class OperatorEvent(Message, topic="operator.events", key="act_id"):
    act_id: Id
    operator: UserId
    action: Code
    target: Sentence


class ActIntended(OperatorEvent, type="trustflow.operator.act_intended.v1"):
    """An operator is about to change ``count`` things of ``target``.

    Dead letters that are to be redriven or dropped are named: the first act that names a letter has it, unless a later
    one takes it ``again``.
    """

    reason: Reason
    count: Count
    letters: Annotated[tuple[LetterPlace, ...], Field(max_length=MOST_LETTERS)] = ()
    again: bool = False


class ActDone(OperatorEvent, type="trustflow.operator.act_done.v1"):
    """The act is complete: so many things were changed."""

    count: Count


class ActFailed(OperatorEvent, type="trustflow.operator.act_failed.v1"):
    """The act stopped with an error after ``count`` changes; ``error`` is its class, without any value."""

    count: Count
    error: Sentence
