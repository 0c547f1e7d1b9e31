"""What every command and event is: a frozen model that knows its type, its topic and its key."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from schemas.ids import Code, Id, Sentence, UserId

MAX_PAYLOAD_BYTES = 900_000
"""Of one message: with its headers it fits into the broker's mebibyte. What is larger goes by the object lane."""

REGISTRY: dict[str, type["Message"]] = {}


class Record(BaseModel):
    """A value inside a message. Readers ignore fields they do not know; writers write only declared ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Record):
    """A command or an event.

    ``type`` is the CloudEvents type with its major version, ``topic`` may name fields of the message
    (``trust.{trust_id}.commands``), ``key`` is the field whose value is the Kafka key and CloudEvents subject.
    """

    type: ClassVar[str]
    topic_template: ClassVar[str]
    key_field: ClassVar[str]

    def __init_subclass__(cls, *, type: str = "", topic: str = "", key: str = "", **kwargs: Any) -> None:  # noqa: A002  the CloudEvents word
        super().__init_subclass__(**kwargs)
        cls.topic_template = topic or getattr(cls, "topic_template", "")
        cls.key_field = key or getattr(cls, "key_field", "")
        if type:
            cls.type = type
            REGISTRY[type] = cls

    @property
    def topic(self) -> str:
        return self.topic_template.format_map(self.__dict__)

    @property
    def key(self) -> str:
        return str(getattr(self, self.key_field))

    def to_bytes(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        return cls.model_validate_json(payload)


class Command(Message):
    """A wish, imperative. ``actor`` is the person on whose behalf it is asked."""

    actor: UserId


class Answer(Message):
    """What becomes of a command; the causation id of its envelope is the command's id."""

    command_id: Id
    command_type: str
    subject: Id


class Accepted(Answer):
    """The command was carried out."""


class Rejected(Answer):
    """The command was refused and changed nothing. ``code`` is stable; ``reason`` is a plain sentence."""

    code: Code
    reason: Sentence
