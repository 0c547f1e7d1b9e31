"""supervisord keeps the processes: its configuration, its start, and what it says over its Unix socket."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from infra.programs import Group, Program

LONGEST_SOCKET_PATH = 100
ANSWER_TIMEOUT_S = 10.0

_DAEMON = """\
[supervisord]
logfile={run}/logs/supervisord.log
logfile_maxbytes=5MB
pidfile={run}/supervisord.pid
childlogdir={run}/logs
{user}
[unix_http_server]
file={run}/supervisor.sock
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{run}/supervisor.sock
[group:parts]
programs={parts}
priority=1
[group:nodes]
programs={nodes}
priority=2
"""

_PROGRAM = """\
[program:{name}]
command={command}
directory={directory}
environment={environment}
autostart=false
autorestart=true
startsecs=1
startretries=1000
stopsignal={stop_signal}
stopwaitsecs=5
killasgroup=true
redirect_stderr=true
stdout_logfile={run}/logs/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """`state` is supervisord's word: RUNNING, STARTING, BACKOFF, STOPPED, FATAL, EXITED."""

    name: str
    state: str
    pid: int


class Supervisor:
    """Raises `OSError` from every call when no supervisord listens below `run`."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._socket = run / "supervisor.sock"
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            raise ValueError(f"{self._socket} is too long for a Unix socket: move the checkout to a shorter path")

    @property
    def configuration(self) -> Path:
        return self.run / "supervisord.conf"

    def is_running(self) -> bool:
        with suppress(OSError):
            self._rpc().getState()
            return True
        return False

    def launch(self, programs: Iterable[Program]) -> None:
        """Start the daemon with every program known and none started."""
        (self.run / "logs").mkdir(exist_ok=True)
        self.configuration.touch(0o600)
        self.configuration.write_text(_configuration(self.run, tuple(programs)))
        daemon = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.configuration)]
        subprocess.run(daemon, check=True, stdin=subprocess.DEVNULL)
        give_up = time.monotonic() + ANSWER_TIMEOUT_S
        while not self.is_running():
            if time.monotonic() > give_up:
                raise RuntimeError(f"supervisord does not answer; read {self.run}/logs/supervisord.log")
            time.sleep(0.05)

    def start(self, program: Program) -> None:
        """Ask for a start and return at once; a program that is on already stays as it is."""
        try:
            self._rpc().startProcess(program.full_name, False)
        except Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise

    def stop(self, group: Group) -> None:
        """Stop all programs of a group side by side and return when they are gone."""
        self._rpc().stopProcessGroup(group, True)

    def shutdown(self) -> int:
        """Ask the daemon to end, and return its process number at once."""
        pid = int(self._rpc().getPID())
        self._rpc().shutdown()
        return pid

    def states(self) -> dict[str, ProcessState]:
        """Return each program's state by its name."""
        rows: Any = self._rpc().getAllProcessInfo()
        return {row["name"]: ProcessState(row["name"], row["statename"], int(row["pid"])) for row in rows}

    def _rpc(self) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor


def _configuration(run: Path, programs: tuple[Program, ...]) -> str:
    names = {group: ",".join(p.name for p in programs if p.group == group) for group in ("parts", "nodes")}
    # Without this line supervisord warns on every start that it runs as root.
    user = "user=root" if os.geteuid() == 0 else ""
    daemon = _DAEMON.format(run=run, user=user, **names)
    return daemon + "".join(_section(run, program) for program in programs)


def _section(run: Path, program: Program) -> str:
    return _PROGRAM.format(
        run=run,
        name=program.name,
        command=_literally(shlex.join(program.command)),
        directory=program.directory,
        environment=",".join(f'{name}="{_unquoted(value)}"' for name, value in program.env.items()),
        stop_signal=program.stop_signal.name.removeprefix("SIG"),
    )


def _literally(text: str) -> str:
    return text.replace("%", "%%")


def _unquoted(value: str) -> str:
    if '"' in value or "\n" in value:
        raise ValueError(f"supervisord cannot hold a quote or a line break in an environment variable: {value!r}")
    return _literally(value)
