"""Bundles of training code: a zip whose sha256 trusts approve, judged by the same rules at the hub and in a trust.

The scan tells authors early what can't run in a sandbox. It is no wall: the sandbox is.
"""

import ast
import hashlib
import io
import json
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

ENTRY_POINT = "trainer.py"
DESCRIPTION = "bundle.json"
MAX_FILES = 2_000
MAX_SOURCE = 2 * 2**20
"""Bytes of one Python file."""

_OFFLINE = "there is no network in the sandbox: bring what you need in the bundle or ask the trust for data"
_ONE_PROCESS = "the sandbox runs one program: do it in Python, in this process"
_NATIVE = "native code can't be reviewed: use torch or numpy"

_MODULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("socket", "ssl", "socketserver", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "ftplib",
         "smtplib", "telnetlib", "poplib", "imaplib", "xmlrpc", "websocket", "websockets", "paramiko", "grpc"),
        ("network", _OFFLINE),
    )
    | dict.fromkeys(("pip", "ensurepip", "setuptools"), ("installs", "nothing can be installed: " + _OFFLINE))
    | dict.fromkeys(("subprocess", "pty"), ("process", _ONE_PROCESS))
    | dict.fromkeys(("ctypes", "cffi"), ("native", _NATIVE))
)  # fmt: skip

_OS_CALLS = ("system", "popen", "fork", "forkpty", "posix_spawn", "exec", "spawn")


class BadBundle(ValueError):
    """The bundle is refused. ``code`` is stable, the text names the remedy."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class BundleLimits:
    """Bytes of the zip and of all its files."""

    packed: int = 50 * 10**6
    unpacked: int = 200 * 10**6


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the code that can't run in a sandbox."""

    file: str
    line: int
    code: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class BundleReport:
    """``sha256`` is of the zip's exact bytes: the approval of a trust names it."""

    sha256: str
    entry_point: str
    files: tuple[str, ...]
    findings: tuple[Finding, ...]


def inspect(content: bytes, limits: BundleLimits = BundleLimits()) -> BundleReport:
    """Judge a bundle without unpacking it to disk.

    Raises
    ------
    BadBundle
        ``bad_zip``, ``too_large``, ``too_many_files``, ``bad_path``, ``not_a_file``, ``bad_description``,
        ``no_entry_point``.
    """
    if len(content) > limits.packed:
        raise BadBundle("too_large", f"the zip has {len(content)} bytes: at most {limits.packed}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _inspected(content, archive, limits)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise BadBundle("bad_zip", "the zip can't be read: pack the folder again, without a password") from error


def pack(files: Mapping[str, bytes]) -> bytes:
    """Zip files by their relative paths; equal files give equal bytes, hence an equal sha256."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(_entry(name), files[name])
    return content.getvalue()


def unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file of a bundle that `inspect` accepted."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                yield entry.filename, archive.read(entry)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _inspected(content: bytes, archive: zipfile.ZipFile, limits: BundleLimits) -> BundleReport:
    entries = archive.infolist()
    _check_sizes(entries, limits)
    for entry in entries:
        _check_entry(entry)
    files = tuple(sorted(entry.filename for entry in entries if not entry.is_dir()))
    _check_distinct(files)
    entry_point = _entry_point(archive, files)
    findings = tuple(finding for name in files for finding in _scan(archive, name))
    return BundleReport(hashlib.sha256(content).hexdigest(), entry_point, files, findings)


def _check_sizes(entries: list[zipfile.ZipInfo], limits: BundleLimits) -> None:
    if len(entries) > MAX_FILES:
        raise BadBundle("too_many_files", f"{len(entries)} files: at most {MAX_FILES}")
    # zipfile never reads more of a file than it declares, so declared sizes bound what a bomb can do
    size = sum(entry.file_size for entry in entries)
    if size > limits.unpacked:
        raise BadBundle("too_large", f"{size} bytes unpacked: at most {limits.unpacked}")


def _check_distinct(files: tuple[str, ...]) -> None:
    folders = {str(folder) for file in files for folder in PurePosixPath(file).parents}
    if len(set(files)) < len(files) or folders & set(files):
        raise BadBundle("bad_path", "two files have the same path: pack the folder again")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if not _stays_inside(entry.orig_filename):
        raise BadBundle("bad_path", "a path leaves the folder: use plain relative paths with /")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadBundle("not_a_file", f"{entry.filename} is a link or a device: pack the file itself")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    is_plain = str(path) == name.removesuffix("/") and name.isprintable() and "\\" not in name
    return is_plain and not path.is_absolute() and ".." not in path.parts and bool(path.parts)


def _entry_point(archive: zipfile.ZipFile, files: tuple[str, ...]) -> str:
    name = _described(archive).get("entry_point", ENTRY_POINT) if DESCRIPTION in files else ENTRY_POINT
    if not isinstance(name, str) or not name.endswith(".py") or name not in files:
        raise BadBundle(
            "no_entry_point", f"put {ENTRY_POINT} at the top, or name a .py file as entry_point in {DESCRIPTION}"
        )
    return name


def _described(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        description = json.loads(archive.read(DESCRIPTION))
    except (ValueError, RecursionError) as error:
        raise BadBundle("bad_description", f"{DESCRIPTION} must be a JSON object") from error
    if not isinstance(description, dict):
        raise BadBundle("bad_description", f"{DESCRIPTION} must be a JSON object")
    return description


def _scan(archive: zipfile.ZipFile, name: str) -> Iterator[Finding]:
    if not name.endswith(".py"):
        return
    if archive.getinfo(name).file_size > MAX_SOURCE:
        yield Finding(name, 1, "unreadable", f"a Python file may have {MAX_SOURCE} bytes: move data elsewhere")
        return
    try:
        tree = ast.parse(archive.read(name))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        yield Finding(name, getattr(error, "lineno", None) or 1, "unreadable", "Python can't parse this file")
        return
    for node in ast.walk(tree):
        for code, remedy in _judged(node):
            yield Finding(name, getattr(node, "lineno", 1), code, remedy)


def _judged(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Import(names=names):
            yield from _found(alias.name for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield from _found([module])
        case ast.Attribute(value=ast.Name(id="os"), attr=call) if call.startswith(_OS_CALLS):
            yield "process", _ONE_PROCESS
        case _:
            pass


def _found(modules: Iterable[str]) -> Iterator[tuple[str, str]]:
    for module in modules:
        if judgement := _MODULES.get(module.partition(".")[0]):
            yield judgement
