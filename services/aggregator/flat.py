"""A model as few flat vectors: in the canonical layout all values of one type lie side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import torch

from schemas.manifest import Layout

TORCH = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I32": torch.int32,
    "F32": torch.float32,
    "F64": torch.float64,
    "I64": torch.int64,
}


@dataclass(frozen=True, slots=True)
class Segment:
    """Values of one type: bytes ``start`` to ``stop`` of the file."""

    dtype: torch.dtype
    start: int
    stop: int

    def of(self, window: memoryview, offset: int) -> torch.Tensor:
        """View these values in ``window``, which begins at byte ``offset`` of the file; nothing is copied."""
        return torch.frombuffer(window[self.start - offset : self.stop - offset], dtype=self.dtype)


def segments(layout: Layout) -> tuple[Segment, ...]:
    """At most one for each type, in the order of the file."""
    placed = zip(layout.tensors, layout.spans, strict=True)
    return tuple(_merged(TORCH[dtype], group) for dtype, group in groupby(placed, key=lambda item: item[0].dtype))


def _merged(dtype: torch.dtype, group: Iterable[tuple[object, tuple[int, int]]]) -> Segment:
    spans = [span for _, span in group]
    return Segment(dtype, spans[0][0], spans[-1][1])


def within(whole: Iterable[Segment], start: int, stop: int) -> Iterator[Segment]:
    """Yield what of each segment lies in these bytes; part borders never split a value."""
    for segment in whole:
        first, last = max(segment.start, start), min(segment.stop, stop)
        if first < last:
            yield Segment(segment.dtype, first, last)


def tensor_at(layout: Layout, position: int) -> str:
    """Return the name of the tensor that holds this byte of the file."""
    spans = zip(layout.tensors, layout.spans, strict=True)
    return next(spec.name for spec, (start, stop) in spans if start <= position < stop)
