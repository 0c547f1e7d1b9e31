"""Labels as people at the trust write them: a table by study and scan, and the list of values that a mask may hold."""

import csv
import io
import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from trust_node.imaging.xnat import Xnat, XnatRefusedError

LABELS = "resources/LABELS/files/labels.csv"
VALUES = "resources/LABELS/files/labels.json"
KEYS = ("study", "scan")

Labels = Mapping[tuple[str, str], Mapping[str, str]]
"""The label columns by (study, scan); an empty cell is no label."""


class LabelsUnreadableError(ValueError):
    """A file of labels is not what it should be; the text names the file, the fault and the remedy."""


async def labels_of(xnat: Xnat, project: str) -> Labels:
    """Return the labels of an XNAT project, none if it has no label file; raises LabelsUnreadableError."""
    content = await _read(xnat, project, LABELS)
    return {} if content is None else read_labels(content)


async def values_of(xnat: Xnat, project: str) -> frozenset[int] | None:
    """Return the values that the project's masks may hold, None if it has no list; raises LabelsUnreadableError."""
    content = await _read(xnat, project, VALUES)
    return None if content is None else read_values(content)


def read_labels(content: bytes) -> dict[tuple[str, str], dict[str, str]]:
    """Read a comma separated table; raises LabelsUnreadableError."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelsUnreadableError("labels.csv is no UTF-8 table: save it as comma separated values") from error
    if rows and not set(KEYS) < set(rows[0]):
        raise LabelsUnreadableError("labels.csv needs the columns study, scan and at least one label")
    if any(None in row for row in rows):
        raise LabelsUnreadableError("labels.csv has rows longer than its first: quote values that hold a comma")
    return {(row["study"], row["scan"]): {k: v for k, v in row.items() if k not in KEYS and v} for row in rows}


def read_values(content: bytes) -> frozenset[int]:
    """Read a list of values, `{"0": "background", "1": "tumour"}`; raises LabelsUnreadableError."""
    try:
        return frozenset(int(value) for value in dict(json.loads(content)))
    except (ValueError, TypeError, RecursionError) as error:
        raise LabelsUnreadableError('labels.json must name each value of a mask: {"0": "background"}') from error


async def _read(xnat: Xnat, project: str, file: str) -> bytes | None:
    try:
        return await xnat.read_file(f"/data/projects/{quote(project)}/{file}")
    except XnatRefusedError as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return None
        raise
