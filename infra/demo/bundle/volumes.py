"""Labelled scans into tensors of slices, and which studies are held out."""  # noqa: INP001  a bundle is a folder of scripts

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE = 64
HEADER_BYTES = 348
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 512: "u2", 768: "u4"}

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Slices:
    """`pixels` (n, 1, 64, 64), `labels` (n)."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def load_slices(rows: Iterable[Row], folder: Path, labels: list[str]) -> Slices:
    """Read every slice of the scans in `rows` (columns `path`, `label`)."""
    stacks = [(_read_scan(folder / row["path"]), labels.index(row["label"])) for row in rows]
    if not stacks:
        return Slices(torch.empty(0, 1, SIDE, SIDE), torch.empty(0, dtype=torch.long))
    targets = [torch.full((len(stack),), label) for stack, label in stacks]
    return Slices(torch.cat([stack for stack, _ in stacks]), torch.cat(targets))


def split_studies(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on and those held out, as the trust's data manager has marked them.

    Ordered by the data manager's own case number: the same in every round and after every restart.
    """
    ordered = sorted(rows, key=lambda row: (int(row["case"]), row["scan"]))
    train = [row for row in ordered if row["split"] == "train"]
    held_out = [row for row in ordered if row["split"] == "held_out"]
    return train, held_out


def read_nifti(path: Path) -> np.ndarray:
    """Return the voxels of a single-file NIfTI-1, axes (x, y, z), unscaled (https://nifti.nimh.nih.gov/nifti-1)."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    order = "<" if int.from_bytes(content[:4], "little") == HEADER_BYTES else ">"
    dimensions = np.frombuffer(content, f"{order}i2", 8, offset=40)
    code = int(np.frombuffer(content, f"{order}i2", 1, offset=70)[0])
    start = int(np.frombuffer(content, f"{order}f4", 1, offset=108)[0])
    shape = [int(size) for size in dimensions[1 : 1 + dimensions[0]]]
    count = int(np.prod(shape))
    return np.frombuffer(content, order + TYPES[code], count, offset=start).reshape(shape, order="F")


def _read_scan(path: Path) -> Tensor:
    voxels = read_nifti(path)
    # dcm2niix turns sagittal 3D series into axial axes: the slices lie along the shortest axis.
    stack = np.moveaxis(voxels, int(np.argmin(voxels.shape)), 0)
    return _normalise(adaptive_avg_pool2d(torch.from_numpy(stack.astype("f4")).unsqueeze(1), SIDE))


def _normalise(slices: Tensor) -> Tensor:
    """Return slices of mean 0 and deviation 1 each: scanners differ in scale, and NIfTI's own scaling cancels."""
    mean = slices.mean(dim=(1, 2, 3), keepdim=True)
    return (slices - mean) / (slices.std(dim=(1, 2, 3), keepdim=True) + 1e-6)
