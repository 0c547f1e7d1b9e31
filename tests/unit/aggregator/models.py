"""Small models as files, for tests of whatever reads them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save

from schemas.manifest import PART_SIZE, Layout, Manifest, Part, cuts, manifest_of, read_layout


def content(weights: dict[str, torch.Tensor]) -> bytes:
    return save(weights)


def layout_of(content: bytes) -> Layout:
    return read_layout(content)


def manifest(content: bytes, prefix: str, part_size: int = PART_SIZE) -> Manifest:
    spans = cuts(len(content), part_size)
    parts = [
        Part(index=index, size=stop - start, sha256=hashlib.sha256(content[start:stop]).hexdigest())
        for index, (start, stop) in enumerate(spans)
    ]
    return manifest_of(prefix, parts, layout_of(content).tensors)


def written(folder: Path, *models: dict[str, torch.Tensor]) -> Iterator[Path]:
    for number, weights in enumerate(models):
        path = folder / str(number)
        path.write_bytes(content(weights))
        yield path
