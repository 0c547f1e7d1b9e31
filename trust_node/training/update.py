"""What comes out of the sandbox is judged here before anything else reads it."""

import fcntl
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.ids import MetricName
from schemas.manifest import BadHeader, Layout, read_layout
from trust_node.training.sdk.trustflow_sdk.weights import DTYPES, SEALS

Kind = Literal["init", "train", "evaluate"]
TORCH = {name: dtype for dtype, name in DTYPES.items()}
DECIMALS = 4
"""Metrics leave the trust: every further digit is room for smuggled data."""

MADV_POPULATE_READ = 22
"""madvise(2); Python has no name for it."""

Metric = Annotated[float, Field(allow_inf_nan=False, strict=False)]


class BadUpdate(Exception):
    """The training code's answer was refused. ``code`` is stable, the text names the remedy."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Answer(BaseModel):
    """The message that comes with, or without, a file of weights."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    examples: Annotated[int, Field(ge=0, le=10**9)]
    metrics: Annotated[dict[MetricName, Metric], Field(max_length=20)]


@dataclass(frozen=True, slots=True)
class Weights:
    """A safetensors file in private memory: ``file`` is ready for the object lane.

    Changes made in place to a tensor of `tensors` are changes of ``file``.
    """

    file: memoryview
    layout: Layout

    def tensors(self) -> dict[str, torch.Tensor]:
        """Views of the values, by name; nothing is copied."""
        spans = zip(self.layout.tensors, self.layout.spans, strict=True)
        return {spec.name: _view(self.file[start:stop], TORCH[spec.dtype], spec.shape) for spec, (start, stop) in spans}


@dataclass(frozen=True, slots=True)
class Update:
    """An answer that passed: ``weights`` is None for an evaluation."""

    examples: int
    metrics: Mapping[str, float]
    weights: Weights | None


def judge(kind: Kind, message: Any, file: int | None, expected: Layout | None, limit: int) -> Update:
    """Accept an answer or raise `BadUpdate`; ``expected`` is the layout of the model that was sent.

    ``file`` stays the caller's to close; ``limit`` is in bytes.
    """
    answer = _answer(message)
    if kind != "init" and answer.examples == 0:
        raise BadUpdate("bad_examples", "examples must be 1 or more: an update of no data is worth nothing")
    weights = _weights(kind, file, expected, limit)
    metrics = {name: round(value, DECIMALS) for name, value in answer.metrics.items()}
    return Update(answer.examples, metrics, weights)


def _answer(message: Any) -> Answer:
    try:
        return Answer.model_validate(message)
    except ValidationError as error:
        named = [str(place) for place in error.errors()[0]["loc"][:1]]
        # any other word was chosen by the training code, and this one leaves the trust
        field = named[0] if named and named[0] in Answer.model_fields else "message"
        raise BadUpdate(f"bad_{field}", f"{field}: answer by federation.send(weights, examples=, metrics=)") from error


def _weights(kind: Kind, file: int | None, expected: Layout | None, limit: int) -> Weights | None:
    if (file is None) != (kind == "evaluate"):
        raise BadUpdate("bad_weights", f"a task of kind {kind} is answered with{'out' * (file is not None)} weights")
    if file is None:
        return None
    weights = _opened(file, limit)
    if expected is not None and weights.layout != expected:
        raise BadUpdate("wrong_layout", "names, shapes and dtypes must be those of the model that was sent")
    _check_finite(weights.tensors())
    return weights


def _opened(file: int, limit: int) -> Weights:
    view = memoryview(_mapped(file, limit))
    try:
        layout = read_layout(view)
    except BadHeader as error:
        raise BadUpdate("bad_file", str(error)) from error
    if not layout.tensors or layout.size != len(view):
        raise BadUpdate("bad_file", "the file must hold the tensors that its header lists, and nothing else")
    return Weights(view, layout)


def _mapped(file: int, limit: int) -> mmap.mmap:
    size = os.fstat(file).st_size
    if size > limit:
        raise BadUpdate("too_large", f"an update of {size} bytes: this trust allows {limit}")
    # unsealed, the training code could change the file after it was judged
    if size == 0 or not _is_sealed(file):
        raise BadUpdate("bad_file", "weights must be sent by federation.send")
    mapped = mmap.mmap(file, size, access=mmap.ACCESS_COPY)
    with suppress(OSError):
        # one call instead of a page fault for every 64 KiB: 3 times as fast; Linux before 5.14 does not know it
        mapped.madvise(MADV_POPULATE_READ)
    return mapped


def _is_sealed(file: int) -> bool:
    try:
        return fcntl.fcntl(file, fcntl.F_GET_SEALS) & SEALS == SEALS
    except OSError:
        # not a file in memory at all
        return False


def _check_finite(tensors: Mapping[str, torch.Tensor]) -> None:
    for name, tensor in tensors.items():
        if not _is_finite(tensor):
            raise BadUpdate("not_finite", f"{name}: holds NaN or infinity; lower the learning rate or clip")


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point() or tensor.numel() == 0:
        return True
    # one pass without a temporary of the tensor's size; NaN wins over every number
    return bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())


def _view(data: memoryview, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).reshape(shape)
