"""`trustflow ops topics`: the broker's topics beside those of `schemas/topics.py`, and how to bring them together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from bus.topic_admin import LiveTopic, TopicAdmin, topic_admin
from client import terminal
from client.ops.account import TOPIC as ACCOUNT
from client.ops.account import Act, Progress, Warrant, accounted
from client.ops.consent import Operator, Why, Yes, tell_dry_run, warrant
from client.settings import federation_settings
from client.terminal import AsJson, out, say, say_json, table
from schemas.topics import REPLAY_PREFIX, Topic, all_topics

app = typer.Typer(no_args_is_help=True, help="Topics of the broker, beside schemas/topics.py (the administrator's).")

Change = Literal["create", "set limits", "add partitions", "delete", "leave"]
Grow = Annotated[bool, typer.Option("--grow", help="Add partitions, although the order of each key breaks once.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete topics that are not ours and hold no record.")]


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


@app.command("plan")
def plan_(grow: Grow = False, prune: Prune = False, as_json: AsJson = False) -> None:
    """What differs between the broker and `schemas/topics.py`, and what `apply` would do.

    trustflow ops topics plan
    """
    show(terminal.ended(lambda: _planned(grow=grow, prune=prune)), as_json)


@app.command()
def apply(
    *,
    grow: Grow = False,
    prune: Prune = False,
    yes: Yes = False,
    why: Why = "",
    operator: Operator = "",
    as_json: AsJson = False,
) -> None:
    """Create what is missing and set limits right; partitions only with --grow, deletions only with --prune.

    trustflow ops topics apply --yes --why "Trust cedar joins."
    """
    given = warrant(yes, why, operator)
    if given is None:
        show(terminal.ended(lambda: _planned(grow=grow, prune=prune)), as_json)
        tell_dry_run(as_json)
        return
    count = terminal.ended(lambda: _applied(given, grow=grow, prune=prune))
    say(as_json, {"changed": count}, f"changed: {count} topics")


def show(steps: Sequence[Step], as_json: bool) -> None:
    if as_json:
        for step in steps:
            say_json({"change": step.change, "topic": step.topic, "because": step.because})
    elif steps:
        out.print(table("Topics", ("change", "topic", "because"), ((s.change, s.topic, s.because) for s in steps)))
    else:
        out.print("The broker's topics are those of schemas/topics.py.")


async def _planned(*, grow: bool, prune: bool) -> list[Step]:
    async with topic_admin(federation_settings().admin_login()) as admin:
        return await _compare(admin, grow=grow, prune=prune)


async def _compare(admin: TopicAdmin, *, grow: bool, prune: bool) -> list[Step]:
    wanted = all_topics(federation_settings().known_trusts())
    live = await admin.topics()
    names = {topic.name for topic in wanted}
    held = await admin.records_in(topic for topic in live if topic.name not in names)
    return plan(wanted, live, held, grow=grow, prune=prune)


async def _applied(given: Warrant, *, grow: bool, prune: bool) -> int:
    async with topic_admin(federation_settings().admin_login()) as admin, terminal.administrators_voice() as voice:
        steps = [step for step in await _compare(admin, grow=grow, prune=prune) if step.change != "leave"]
        act = Act("apply_topics", "; ".join(f"{step.change} {step.topic}" for step in steps), len(steps))
        if not steps:
            return 0
        await _carry_out(admin, [step for step in steps if step.topic == ACCOUNT], Progress())
        async with accounted(voice, given, act) as progress:
            await _carry_out(admin, [step for step in steps if step.topic != ACCOUNT], progress)
    return len(steps)


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
