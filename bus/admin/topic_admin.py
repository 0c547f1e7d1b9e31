"""The broker's topics as they are, and the few changes that may be made to them."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from bus.admin.broker_admin import new_topic
from bus.admin.wire import IncrementalAlterConfigs
from bus.login import Login
from bus.speaker import reaching
from schemas.topics import Topic

RETENTION, LARGEST = "retention.ms", "max.message.bytes"
INTERNAL = "__"
"""The broker's own topics begin so."""

_TOPIC = 2
_SET = 0


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """A topic of the broker; units as in `schemas.topics.Topic`."""

    name: str
    partitions: int
    retention_ms: int
    max_bytes: int


class TopicAdmin:
    """What it may do is what the broker lets its login do."""

    def __init__(self, client: AIOKafkaAdminClient, login: Login) -> None:
        self._client = client
        self._login = login

    async def topics(self) -> list[LiveTopic]:
        """Every topic but the broker's own, by name."""
        described = [topic for topic in await self._client.describe_topics() if not topic["topic"].startswith(INTERNAL)]
        settings = await self._settings(topic["topic"] for topic in described)
        found = (_live(topic["topic"], len(topic["partitions"]), settings[topic["topic"]]) for topic in described)
        return sorted(found, key=lambda topic: topic.name)

    async def partitions_of(self, name: str) -> int:
        """How many partitions a topic has; 0 when there is none of that name."""
        (topic,) = await self._client.describe_topics([name])
        return len(topic["partitions"])

    async def create(self, topic: Topic) -> None:
        answer = await self._client.create_topics([new_topic(topic)])
        for name, code, message in answer.topic_errors:
            _raise_on(code, f"topic {name}: {message}")

    async def set_limits(self, topic: Topic) -> None:
        """Retention and the largest record; other settings stay as they are."""
        settings = [(RETENTION, _SET, str(topic.retention_ms)), (LARGEST, _SET, str(topic.max_bytes))]
        request = IncrementalAlterConfigs([(_TOPIC, topic.name, settings)])
        answer = await self._client._send_request(request)  # noqa: SLF001  aiokafka has no public call for these
        for code, message, _, name in answer.responses:
            _raise_on(code, f"topic {name}: {message}")

    async def grow(self, topic: Topic) -> None:
        """Add partitions: a key's next records may lie in another partition than those before."""
        await self._client.create_partitions({topic.name: NewPartitions(topic.partitions)})

    async def delete(self, name: str) -> None:
        answer = await self._client.delete_topics([name])
        for topic, code in answer.topic_error_codes:
            _raise_on(code, f"topic {topic}")

    async def records_in(self, topics: Iterable[LiveTopic]) -> dict[str, int]:
        """How many records each topic holds, at most: what was compacted away is counted."""
        held = {topic.name: 0 for topic in topics}
        if not held:
            return held
        consumer = AIOKafkaConsumer(*held, group_id=None, **self._login.options())
        try:
            await consumer.start()
            partitions = consumer.assignment()
            begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        finally:
            await consumer.stop()
        for partition in partitions:
            held[partition.topic] += ends[partition] - begins[partition]
        return held

    async def _settings(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        wanted = {RETENTION: None, LARGEST: None}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name, wanted) for name in names]
        found: dict[str, dict[str, str]] = {}
        for answer in await self._client.describe_configs(asked) if asked else ():
            for resource in answer.to_object()["resources"]:
                _raise_on(resource["error_code"], f"settings of {resource['resource_name']}")
                entries = resource["config_entries"]
                found[resource["resource_name"]] = {entry["config_names"]: entry["config_value"] for entry in entries}
        return found


@asynccontextmanager
async def topic_admin(login: Login) -> AsyncIterator[TopicAdmin]:
    client = AIOKafkaAdminClient(**login.options())
    with reaching(login):
        try:
            await client.start()
            yield TopicAdmin(client, login)
        finally:
            await client.close()


def _live(name: str, partitions: int, settings: Mapping[str, str]) -> LiveTopic:
    return LiveTopic(name, partitions, int(settings[RETENTION]), int(settings[LARGEST]))


def _raise_on(code: int, about: str) -> None:
    if code:
        raise for_code(code)(about)
