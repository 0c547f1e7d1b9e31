"""Which names may become a part of an address and of a path on disk."""

import re

from infra.xnat.refusal import bad_request

_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.+:-]{0,99}")
_LONGEST_PATH_PART = 255


def project_id(name: str) -> str:
    if not _PROJECT.fullmatch(name):
        raise bad_request("project ID: use 1 to 100 letters, digits, underscores and hyphens")
    return name


def label(name: str, what: str) -> str:
    if not _LABEL.fullmatch(name):
        raise bad_request(f"{what}: use 1 to 100 letters, digits, spaces and _ . + : -, starting with a letter")
    return name


def file_path(path: str) -> str:
    """Return the path unchanged when every part is a plain name that stays inside the resource."""
    parts = path.split("/")
    if any(not _is_plain(part) for part in parts):
        raise bad_request("file path: use a relative path without empty parts, '.', '..', or backslashes")
    return path


def _is_plain(part: str) -> bool:
    allowed = part not in {"", ".", ".."} and part.isprintable() and "\\" not in part
    return allowed and len(part.encode()) <= _LONGEST_PATH_PART


def clean(text: str) -> str:
    """Return text fit for a folder's name inside a zip, as XNAT does: odd characters become underscores."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)
