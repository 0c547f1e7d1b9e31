"""Up and down: parts first, then what they hold, then our own processes."""

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from infra.environment import write_shell_files
from infra.federation import RUN, Federation, describe, remembered
from infra.leftovers import Process, end_leftovers
from infra.parts.http import answers_ok
from infra.programs import Program, programs
from infra.provision import provision
from infra.supervision import Supervisor

HEALTH_TIMEOUT_S = 180.0
SHUTDOWN_TIMEOUT_S = 15.0

Say = Callable[[str], None]


class FederationError(RuntimeError):
    """The federation is not as asked for; the text says what to do."""


def up(trusts: int, say: Say, run: Path = RUN, *, tls: bool = False, watch: bool = False) -> Federation:
    """Start what is not running and return when everything built answers; safe to call at any time.

    Raises
    ------
    FederationError
        Another number of trusts is running, or one with TLS where none is asked for, or a process does not come up.
    """
    _refuse_foreign_parts(run)
    supervisor = Supervisor(run)
    federation = _running_federation(supervisor, trusts, tls, watch, say) or _launched_federation(
        supervisor, trusts, tls, watch, say
    )
    everything = programs(federation)
    _start_parts(supervisor, federation, everything)
    say("parts answer")
    provision(federation)
    write_shell_files(federation)
    say("databases, users, topics and rules are in place")
    _start_nodes(supervisor, everything, say)
    return federation


def down(say: Say, run: Path = RUN) -> list[Process]:
    """Stop our processes, then the parts, and make sure that nothing is left; return what had to be ended by force."""
    supervisor = Supervisor(run)
    if supervisor.is_running():
        supervisor.stop("nodes")
        supervisor.stop("parts")
        daemon = supervisor.shutdown()
        _wait(lambda: not Path(f"/proc/{daemon}").exists(), SHUTDOWN_TIMEOUT_S, "supervisord does not end")
        say("stopped")
    (run / "env").unlink(missing_ok=True)
    return end_leftovers(run)


def is_healthy(program: Program) -> bool:
    """Ask one of our processes how it is."""
    with suppress(OSError):
        return answers_ok(program.port)
    return False


def _running_federation(supervisor: Supervisor, trusts: int, tls: bool, watch: bool, say: Say) -> Federation | None:
    federation = remembered(supervisor.run)
    if federation is None or not supervisor.is_running():
        return None
    if len(federation.trusts) != trusts:
        raise FederationError(f"a federation of {len(federation.trusts)} trusts is running: `make down` first")
    if federation.tls != tls:
        raise FederationError(f"a federation with{'' if federation.tls else 'out'} TLS is running: `make down` first")
    if watch and federation.prometheus is None:
        raise FederationError("a federation that nobody watches is running: `make down` first")
    say("already running; making sure that all of it is")
    return federation


def _launched_federation(supervisor: Supervisor, trusts: int, tls: bool, watch: bool, say: Say) -> Federation:
    if ended := end_leftovers(supervisor.run):
        say(f"ended {len(ended)} processes of an earlier run")
    federation = describe(trusts, supervisor.run, tls=tls, watch=watch)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda part: part.prepare(), federation.parts()))
    everything = programs(federation)
    for program in everything:
        program.directory.mkdir(parents=True, exist_ok=True)
    supervisor.launch(everything)
    return federation


def _start_parts(supervisor: Supervisor, federation: Federation, everything: Iterable[Program]) -> None:
    for program in everything:
        if program.group == "parts":
            supervisor.start(program)
    with ThreadPoolExecutor(max_workers=16) as threads:
        list(threads.map(lambda part: part.wait_ready(), federation.parts()))


def _start_nodes(supervisor: Supervisor, everything: Iterable[Program], say: Say) -> None:
    nodes = [program for program in everything if program.group == "nodes"]
    if missing := [program.name for program in nodes if not program.built]:
        say(f"not built yet: {', '.join(missing)}")
    built = [program for program in nodes if program.built]
    for program in built:
        supervisor.start(program)
    _wait(
        lambda: all(map(is_healthy, built)),
        HEALTH_TIMEOUT_S,
        f"not everything is healthy: see `make status` and the logs in {supervisor.run}/logs",
    )


def _wait(done: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    give_up = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > give_up:
            raise FederationError(otherwise)
        time.sleep(0.1)


def _refuse_foreign_parts(run: Path) -> None:
    """A shell that has sourced our own `env` names our own broker; any other one is somebody's wish."""
    ours = (run / "env").read_text() if (run / "env").exists() else ""
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL"):
        if (value := os.environ.get(name)) and value not in ours:
            raise FederationError(
                f"{name} is set, but using a broker or database of your own is not built yet: unset it"
            )
