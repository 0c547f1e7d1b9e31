"""What every command shares: who asks, how it answers (a table or JSON lines), and with which exit code it ends."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from bus.objects import ObjectError
from bus.speaker import CommandRejected, NoAnswer, Speaker, Unreachable
from client.charts import NoChart
from client.checking import QueryRefused
from client.figures import pointed
from client.hearing import NotFound
from client.ops.account import Refused
from client.sdk import RunUnsuccessful, Trustflow
from client.settings import NotRunning, federation_settings
from schemas.bundle import BadBundle
from schemas.message import Message
from schemas.topics import OPERATOR

UNEXPECTED, USAGE, REJECTED, NO_ANSWER, UNREACHABLE, RUN_FAILED = 1, 2, 3, 4, 5, 6
EXIT_CODES = """Exit codes: 0 done, 1 unexpected, 2 wrong usage, 3 rejected (prints code and reason),
4 no answer in time, 5 federation not reachable, 6 the run failed or was stopped,
7 an account was touched."""

Actor = Annotated[str, typer.Option("--as", envvar="TRUSTFLOW_USER", help="The user in whose name you ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, nothing else.")]
T = TypeVar("T")

out = Console()
err = Console(stderr=True)


@asynccontextmanager
async def hub_of(actor: str) -> AsyncIterator[Trustflow]:
    async with Trustflow.connect(federation_settings(), actor=actor) as hub:
        yield hub


@asynccontextmanager
async def operator_ears() -> AsyncIterator[Speaker]:
    settings = federation_settings()
    async with Speaker(settings.operator_login()) as speaker:
        yield speaker


@asynccontextmanager
async def administrators_voice() -> AsyncIterator[Speaker]:
    """Speaks as the operator with the administrator's login: the broker may have lost the operator's rules."""
    async with Speaker(federation_settings().admin_login(), OPERATOR) as speaker:
        yield speaker


def play(work: Callable[[Trustflow], Awaitable[T]], actor: str = "nobody") -> T:
    """Run with a hub to the end; what goes wrong becomes one sentence on stderr and an exit code."""

    async def with_hub() -> T:
        async with hub_of(actor) as hub:
            return await work(hub)

    return ended(with_hub)


def ended(work: Callable[[], Awaitable[T]]) -> T:
    # aiokafka logs each attempt to connect; ours is the sentence that names the remedy
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    try:
        return asyncio.run(_awaited(work))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        code, sentence = judged(error)
        if code == UNEXPECTED:
            raise
        err.print(f"[red]{escape(sentence)}[/]", soft_wrap=True)
        raise typer.Exit(code) from None


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def judged(error: Exception) -> tuple[int, str]:
    """The exit code and the sentence for an error."""
    match error:
        case QueryRefused():
            return REJECTED, _refusal(error)
        case CommandRejected():
            return REJECTED, f"rejected: {error.code}: {error.reason}"
        case BadBundle():
            return REJECTED, f"rejected: {error.code}: {error}"
        case NoAnswer():
            return NO_ANSWER, f"no answer: {error}"
        case Unreachable() | NotRunning() | ObjectError():
            return UNREACHABLE, f"not reachable: {error}"
        case RunUnsuccessful():
            return RUN_FAILED, str(error)
        case NotFound() | Refused() | NoChart():
            return USAGE, str(error)
        case ValidationError():
            return USAGE, _wrong_values(error)
        case _:
            return UNEXPECTED, f"unexpected {type(error).__name__}: {error}"


def _refusal(error: QueryRefused) -> str:
    """The code, the sentence, and the line at fault with a caret."""
    line, column = error.refused.line, error.refused.column
    where = f"\n{pointed(error.sql, line, column)}" if line and column else ""
    return f"rejected: {error.code}: {error.reason}{where}"


def _wrong_values(error: ValidationError) -> str:
    faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False))
    return f"wrong value: {'; '.join(faults)}; see --help"


def as_line(value: BaseModel | dict[str, Any]) -> dict[str, Any]:
    """A message with its type, or a view, as JSON values."""
    if isinstance(value, dict):
        return value
    kind = {"type": value.type} if isinstance(value, Message) else {}
    return {**kind, **value.model_dump(mode="json", exclude_none=True)}


def say_json(value: BaseModel | dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(as_line(value)) + "\n")
    sys.stdout.flush()


def say(as_json: bool, value: BaseModel | dict[str, Any], sentence: str) -> None:
    """One result: the JSON line, or the sentence and what to do next."""
    if as_json:
        say_json(value)
    else:
        out.print(sentence, soft_wrap=True, highlight=False)


@contextmanager
def pictures(as_json: bool) -> Iterator[Callable[[RenderableType], None]]:
    """What draws one picture over the last; scripts get none, nor the escape codes that go with it."""
    if as_json:
        yield lambda _: None
        return
    with Live(console=out, auto_refresh=False, transient=True) as live:
        yield lambda picture: live.update(picture, refresh=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    made = Table(title=escape(title), title_justify="left")
    for column in columns:
        made.add_column(column)
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    return made
