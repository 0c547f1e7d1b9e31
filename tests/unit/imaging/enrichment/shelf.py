"""An archive in memory, and images and masks to put on it."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

import nibabel
import numpy as np

from trust_node.imaging.xnat import ArchivedFile, XnatRefusedError

AFFINE = np.array([[-0.9, 0.0, 0.1, 40], [0.0, 0.8, 0.0, -30], [0.05, 0.0, 2.5, -12], [0, 0, 0, 1.0]])
SHAPE = (12, 10, 6)


class Shelf:
    """What the node's XNAT client offers to whom reads and writes files; ``fetched`` notes each download."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []

    def put(self, study: str, scan: str, resource: str, name: str, content: bytes) -> None:
        self.files[f"/data/projects/p/experiments/{study}/scans/{scan}/resources/{resource}/files/{name}"] = content

    def put_table(self, name: str, content: str) -> None:
        self.files[f"/data/projects/p/resources/LABELS/files/{name}"] = content.encode()

    async def list_sessions(self, project: str) -> list[str]:
        return list(dict.fromkeys(uri.split("/")[5] for uri in self.files if "/scans/" in uri))

    async def list_files(self, project: str, session: str) -> list[ArchivedFile]:
        start = f"/data/projects/{project}/experiments/{session}/scans/"
        return [_file(uri, content) for uri, content in self.files.items() if uri.startswith(start)]

    async def read_file(self, uri: str) -> bytes:
        if uri not in self.files:
            raise XnatRefusedError(HTTPStatus.NOT_FOUND, "GET")
        return self.files[uri]

    async def download(self, uri: str, target: Path) -> None:
        self.fetched.append(uri)
        target.write_bytes(self.files[uri])

    async def put_file(self, address: str, content: bytes | Path) -> None:
        self.files[address] = content if isinstance(content, bytes) else content.read_bytes()


def _file(uri: str, content: bytes) -> ArchivedFile:
    parts = uri.split("/")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return ArchivedFile(unquote(parts[7]), parts[9], parts[11], uri, len(content), digest)


def nifti(tmp_path: Path, values: np.ndarray | None = None, affine: np.ndarray = AFFINE) -> bytes:
    voxels = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16) if values is None else values
    file = tmp_path / "made.nii.gz"
    nibabel.Nifti1Image(voxels, affine).to_filename(file)
    return file.read_bytes()


def drawn(*labels: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """A mask with a small block of each label."""
    values = np.zeros(shape, np.uint8)
    for place, label in enumerate(labels):
        values[2 * place : 2 * place + 2, 1:3, 1:3] = label
    return values
