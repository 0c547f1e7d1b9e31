"""How the broker's topics come to be those of `schemas/topics.py`: what differs, and the steps that put it right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bus.admin.topic_admin import LiveTopic, TopicAdmin
from bus.speaker import Speaker
from client.ops.account import TOPIC as ACCOUNT
from client.ops.account import Act, Progress, Warrant, accounted
from schemas.topics import REPLAY_PREFIX, Topic, all_topics

Change = Literal["create", "set limits", "add partitions", "delete", "leave"]


@dataclass(frozen=True, slots=True)
class Step:
    """One difference and what may be done about it; *leave*: nothing, and ``because`` says why."""

    change: Change
    topic: str
    because: str
    wanted: Topic | None = None


def plan(
    wanted: Iterable[Topic],
    live: Sequence[LiveTopic],
    held: Mapping[str, int],
    *,
    grow: bool = False,
    prune: bool = False,
) -> list[Step]:
    """Compare; ``held`` counts the records of topics that are not wanted."""
    by_name = {topic.name: topic for topic in live}
    steps = [step for topic in wanted for step in _differences(topic, by_name.pop(topic.name, None), grow=grow)]
    strange = (topic for topic in by_name.values() if not topic.name.startswith(REPLAY_PREFIX))
    return [*steps, *(_stranger(topic, held.get(topic.name, 0), prune=prune) for topic in strange)]


def _differences(wanted: Topic, live: LiveTopic | None, *, grow: bool) -> list[Step]:
    if live is None:
        return [Step("create", wanted.name, f"missing; {wanted.partitions} partitions", wanted)]
    limits = f"retention.ms {live.retention_ms} → {wanted.retention_ms}, largest {live.max_bytes} → {wanted.max_bytes}"
    same = (live.retention_ms, live.max_bytes) == (wanted.retention_ms, wanted.max_bytes)
    steps = [] if same else [Step("set limits", wanted.name, limits, wanted)]
    return [*steps, *([_partitions(wanted, live, grow=grow)] if live.partitions != wanted.partitions else ())]


def _partitions(wanted: Topic, live: LiveTopic, *, grow: bool) -> Step:
    numbers = f"{live.partitions} partitions, {wanted.partitions} wanted"
    if live.partitions > wanted.partitions:
        return Step("leave", wanted.name, f"{numbers}: a broker never takes partitions away; change schemas/topics.py")
    if grow:
        return Step("add partitions", wanted.name, f"{numbers}: keys move, their order breaks once", wanted)
    return Step("leave", wanted.name, f"{numbers}: more would move keys; stop its writers and readers, then --grow")


def _stranger(live: LiveTopic, records: int, *, prune: bool) -> Step:
    if records:
        return Step("leave", live.name, f"not ours, and holds {records} records: only Kafka's own tools delete those")
    if prune:
        return Step("delete", live.name, "not ours, and empty")
    return Step("leave", live.name, "not ours, and empty: --prune deletes it")


async def compare(admin: TopicAdmin, trusts: Iterable[str], *, grow: bool = False, prune: bool = False) -> list[Step]:
    """What differs on the broker from what these trusts need."""
    wanted = all_topics(trusts)
    live = await admin.topics()
    names = {topic.name for topic in wanted}
    held = await admin.records_in(topic for topic in live if topic.name not in names)
    return plan(wanted, live, held, grow=grow, prune=prune)


async def apply(admin: TopicAdmin, speaker: Speaker, steps: Iterable[Step], warrant: Warrant) -> int:
    """Carry out what may be done, and return how much that was. The account itself must be there before it is used."""
    todo = sorted((step for step in steps if step.change != "leave"), key=lambda step: step.topic != ACCOUNT)
    first = [step for step in todo if step.topic == ACCOUNT]
    if not todo:
        return 0
    await _carry_out(admin, first, Progress())
    act = Act("apply_topics", "; ".join(f"{step.change} {step.topic}" for step in todo), len(todo))
    async with accounted(speaker, warrant, act) as progress:
        progress.count = len(first)
        await _carry_out(admin, todo[len(first) :], progress)
    return len(todo)


async def _carry_out(admin: TopicAdmin, steps: Sequence[Step], progress: Progress) -> None:
    for step in steps:
        match step.change, step.wanted:
            case "create", Topic() as topic:
                await admin.create(topic)
            case "set limits", Topic() as topic:
                await admin.set_limits(topic)
            case "add partitions", Topic() as topic:
                await admin.grow(topic)
            case "delete", None:
                await admin.delete(step.topic)
            case _:
                raise TypeError(f"{step.change} {step.topic}: no such step")
        progress.count += 1
