"""Runs on the live federation: start one, act in the middle of it, read all that was said of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bus.speaker import Heard, Speaker
from client.sdk import RUN_ENDS, Trustflow
from infra.demo.play import RESEARCHER
from infra.federation import Federation
from schemas.message import Message
from schemas.topics import CLIENT, OPERATOR
from schemas.training import RunEvent, RunPlan

M = TypeVar("M", bound=Message)

Act = Callable[[RunEvent], Awaitable[None]]

PLAN = RunPlan(rounds=5, quorum=2, seed=7)
ABOUT_RUNS = ("training.events", "aggregation.events")


def speaker(federation: Federation, principal: str = CLIENT) -> Speaker:
    return Speaker(federation.login(principal))


@asynccontextmanager
async def connected(federation: Federation) -> AsyncIterator[Trustflow]:
    async with speaker(federation) as voice:
        yield Trustflow(voice, RESEARCHER)


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that the hub has said of one run, and when."""

    heard: tuple[Heard, ...]

    def of(self, kind: type[M]) -> list[M]:
        return [heard.message for heard in self.heard if isinstance(heard.message, kind)]

    def only(self, kind: type[M]) -> M:
        (message,) = self.of(kind)
        return message

    @property
    def end(self) -> RunEvent:
        """RunFinished, RunFailed or RunStopped: there is one of them, once."""
        (end,) = (heard.message for heard in self.heard if isinstance(heard.message, RUN_ENDS))
        return end


async def _look_on(_event: RunEvent) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Starts runs of one model."""

    federation: Federation
    hub: Trustflow
    model_id: str

    async def start(self, plan: RunPlan, trusts: Sequence[str] | None = None) -> str:
        return await self.hub.start_run(self.model_id, trusts or self.federation.trusts, plan)

    async def watch(self, run_id: str, act: Act = _look_on) -> Told:
        """Follow the run to its end; ``act`` sees each event as soon as it is said."""
        async for event in self.hub.watch_run(run_id):
            await act(event)
        return await self.told(run_id)

    async def told(self, run_id: str) -> Told:
        async with speaker(self.federation) as voice, aclosing(voice.events(ABOUT_RUNS, until="now")) as said:
            return Told(tuple([heard async for heard in said if heard.key == run_id]))

    async def model_bytes(self, run_id: str, folder: Path) -> bytes:
        file = folder / f"{run_id}.safetensors"
        await self.hub.download_model(run_id, file)
        return file.read_bytes()


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run that nothing has happened to, and the model that it left."""

    run_id: str
    told: Told
    model: bytes


async def everything_said(federation: Federation, topics: Sequence[str]) -> list[Heard]:
    """All records of these topics, as the operator may read them."""
    async with speaker(federation, OPERATOR) as voice, aclosing(voice.events(topics, until="now")) as said:
        return [heard async for heard in said]
