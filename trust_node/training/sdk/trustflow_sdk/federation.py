"""The federation as training code sees it: pull a task, do it, send what came out."""

import csv
import math
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

from . import wire
from .weights import DTYPES, read, sealed

METRIC_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_METRICS = 20


class Misuse(Exception):
    """The training code called the federation in a way that can't work; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Task:
    """``init`` asks for first weights, ``train`` for an update of ``model``, ``evaluate`` for its metrics."""

    kind: Literal["init", "train", "evaluate"]
    round: int
    seed: int
    model: dict[str, torch.Tensor] | None
    config: dict[str, Any]


class Federation:
    """Reads where everything is from the environment when first used."""

    def __init__(self) -> None:
        self._unanswered: Task | None = None

    @cached_property
    def data_dir(self) -> Path:
        """The folder of this trust's images, read-only."""
        return Path(_setting("TRUSTFLOW_DATA"))

    @cached_property
    def table(self) -> list[dict[str, str]]:
        """The rows of ``table.csv``: one per file, its path relative to ``data_dir``."""
        with (self.data_dir / "table.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def receive(self) -> Task | None:
        """Wait for the next task; None means that the run is over."""
        if self._unanswered is not None:
            raise Misuse(f"the {self._unanswered.kind} task is not answered: call federation.send first")
        try:
            message, _ = wire.receive(self._wire)
        except EOFError:
            return None
        self._unanswered = self._task(message)
        return self._unanswered

    def send(
        self,
        weights: Mapping[str, torch.Tensor] | None,
        *,
        examples: int,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Answer the task: weights (None for ``evaluate``), how many examples were used, and metrics."""
        task = self._unanswered
        if task is None:
            raise Misuse("there is no task to answer: call federation.receive first")
        _check_weights(task, weights)
        answer = {"examples": _count(examples), "metrics": _numbers(metrics or {})}
        self._answer(answer, weights)
        self._unanswered = None

    def errand(self, asked: dict[str, str], file: int | None = None) -> dict[str, str]:
        """Ask the trust's node for something, and wait for it; only while a task is open does it listen."""
        if self._unanswered is None:
            raise Misuse(f"{asked['errand']}: ask between federation.receive and federation.send")
        wire.send(self._wire, asked, file)
        told, _ = wire.receive(self._wire)
        if "refused" in told:
            raise Misuse(f"{asked['errand']}: {told['refused']}")
        return dict(told)

    def _answer(self, answer: dict[str, Any], weights: Mapping[str, torch.Tensor] | None) -> None:
        if weights is None:
            wire.send(self._wire, answer)
            return
        file = sealed(weights)
        try:
            wire.send(self._wire, answer, file)
        finally:
            os.close(file)

    def _task(self, message: dict[str, Any]) -> Task:
        name = message.pop("model")
        model = None if name is None else read(Path(_setting("TRUSTFLOW_INBOX")) / name)
        return Task(model=model, **message)

    @cached_property
    def _wire(self) -> socket.socket:
        return socket.socket(fileno=int(_setting("TRUSTFLOW_SOCKET")))


def _setting(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise Misuse(f"{name} is not set: training code runs inside a trust's sandbox") from None


def _check_weights(task: Task, weights: Mapping[str, torch.Tensor] | None) -> None:
    if (weights is None) != (task.kind == "evaluate"):
        raise Misuse(f"a task of kind {task.kind} is answered {'with' if weights is None else 'without'} weights")
    for name, tensor in (weights or {}).items():
        if not isinstance(tensor, torch.Tensor) or tensor.dtype not in DTYPES:
            raise Misuse(f"weights[{name!r}] must be a tensor of one of {[*DTYPES.values()]}")


def _count(examples: int) -> int:
    if isinstance(examples, bool) or not isinstance(examples, int) or examples < 0:
        raise Misuse("examples must be a whole number, 0 or more: how many were used")
    return examples


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    if len(metrics) > MAX_METRICS:
        raise Misuse(f"{len(metrics)} metrics: send at most {MAX_METRICS}")
    return {_name(name): _number(name, value) for name, value in metrics.items()}


def _name(name: str) -> str:
    if not METRIC_NAME.fullmatch(name):
        raise Misuse(f"metric {name!r}: begin with a letter, then up to 39 of a-z, 0-9 and _")
    return name


def _number(name: str, value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise Misuse(f"metrics[{name!r}] is {number}: send finite numbers only")
    return number
