"""Weights as files: read into memory of our own, and sent as a sealed one that nobody can change afterwards."""

import fcntl
import json
import mmap
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import torch

DTYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int32: "I32",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.int64: "I64",
}
"""What may travel, in the order of safetensors' own enumeration: its files begin with the last."""

RANK = {dtype: rank for rank, dtype in enumerate(DTYPES)}
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file; the tensors may be changed in place."""
    file = _in_memory(path)
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:start])
    values = memoryview(file)[start:]
    return {name: _tensor(values, **entry) for name, entry in header.items() if name != "__metadata__"}


def _in_memory(path: Path) -> mmap.mmap:
    """Huge pages: were the file mapped, training's first touch of each 4 KiB would cost a fault, 8 times as slow."""
    with path.open("rb", buffering=0) as file:
        memory = mmap.mmap(-1, os.fstat(file.fileno()).st_size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):
            # a kernel without them is slower, and right
            memory.madvise(mmap.MADV_HUGEPAGE)
        rest = memoryview(memory)
        while rest:
            rest = rest[file.readinto(rest) :]
    return memory


def _tensor(values: memoryview, *, dtype: str, shape: list[int], data_offsets: tuple[int, int]) -> torch.Tensor:
    start, stop = data_offsets
    kind = next(kind for kind, name in DTYPES.items() if name == dtype)
    if start == stop:
        return torch.empty(shape, dtype=kind)
    return torch.frombuffer(values[start:stop], dtype=kind).reshape(shape)


def sealed(weights: Mapping[str, torch.Tensor]) -> int:
    """Write a safetensors file into memory and return its descriptor, which the caller closes."""
    ordered = sorted(weights.items(), key=lambda item: (-RANK[item[1].dtype], item[0]))
    flat = [tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8) for _, tensor in ordered]
    file = os.memfd_create("update", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    _write(file, memoryview(_header(ordered, flat)))
    for tensor in flat:
        _write(file, tensor.numpy().data)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, SEALS)
    return file


def _header(ordered: Iterable[tuple[str, torch.Tensor]], flat: Iterable[torch.Tensor]) -> bytes:
    entries, start = {}, 0
    for (name, tensor), data in zip(ordered, flat, strict=True):
        stop = start + data.numel()
        entries[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": [*tensor.shape],
            "data_offsets": [start, stop],
        }
        start = stop
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    padded = text + b" " * (-len(text) % 8)
    return len(padded).to_bytes(8, "little") + padded


def _write(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]
