"""The processes of a federation, in two groups: `parts`, which must answer first, and `nodes`, which are ours."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Literal

from infra.environment import RUN_MARK, node_env, service_env, working_directory
from infra.federation import ROOT, Federation
from schemas.topics import SERVICES

Group = Literal["parts", "nodes"]


@dataclass(frozen=True, slots=True)
class Program:
    """`built` is false where the module that the program would run does not exist yet."""

    name: str
    group: Group
    command: list[str]
    env: Mapping[str, str]
    directory: Path
    port: int
    stop_signal: Signals = Signals.SIGTERM
    built: bool = True

    @property
    def full_name(self) -> str:
        return f"{self.group}:{self.name}"


def programs(federation: Federation) -> tuple[Program, ...]:
    return (*_parts(federation), *_nodes(federation))


def _parts(federation: Federation) -> Iterator[Program]:
    for part in federation.parts():
        env = {**part.env, RUN_MARK: str(federation.run)}
        port = federation.ports[part.name]
        yield Program(part.name, "parts", part.command, env, part.directory, port, part.stop_signal)


def _nodes(federation: Federation) -> Iterator[Program]:
    for service in SERVICES:
        yield _ours(federation, service, f"services.{service}", service_env(federation, service))
    for trust in federation.trusts:
        yield _ours(federation, f"node-{trust}", "trust_node", node_env(federation, trust))
    if port := federation.ports.get("exporter"):
        yield _exporter(federation, port)


def _exporter(federation: Federation, port: int) -> Program:
    """The operator's eyes, where somebody watches."""
    command = [str(Path(sys.executable).with_name("trustflow")), "ops", "exporter", "--port", str(port)]
    env = {"TRUSTFLOW_ENV": str(federation.run / "env"), RUN_MARK: str(federation.run)}
    return Program("exporter", "nodes", command, env, working_directory(federation, "exporter"), port)


def _ours(federation: Federation, name: str, module: str, env: Mapping[str, str]) -> Program:
    return Program(
        name,
        "nodes",
        [sys.executable, "-m", module],
        {**env, "PYTHONPATH": str(ROOT)},
        working_directory(federation, name),
        federation.ports[name],
        built=_is_built(module),
    )


def _is_built(module: str) -> bool:
    return importlib.util.find_spec(f"{module}.__main__") is not None
