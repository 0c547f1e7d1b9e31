"""DICOMweb: QIDO-RS to find, WADO-RS to bring, over HTTP(S) (PS3.18 10.6, 10.4)."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlencode

from trust_node.imaging.pacs.arriving import Arriving
from trust_node.imaging.pacs.deadline import LONGEST_QUERY_S, ends_within
from trust_node.imaging.pacs.hits import SUCCESS, Outcome, StudyHit, exact_accession, valid_uid
from trust_node.imaging.pacs.multipart import boundary_of, parts
from trust_node.imaging.pacs.site import Line, WebSite
from trust_node.imaging.pacs.troubles import PacsError, Trouble
from trust_node.imaging.pacs.watching import watched
from trust_node.imaging.spool import Spool

PIECE_BYTES = 1 << 20
ANSWER_BYTES = 16 * 2**20
INCOMPLETE = 0xB000
IMAGES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
# Tags as DICOM JSON names them, PS3.18 F.2
ACCESSION, STUDY_UID, DATE, TIME = "00080050", "0020000D", "00080020", "00080030"
MODALITIES, SERIES, INSTANCES, SERIES_INSTANCES = "00080061", "00201206", "00201208", "00201209"
KEYS = (ACCESSION, STUDY_UID, DATE, TIME, MODALITIES, SERIES, INSTANCES)


@dataclass(frozen=True, slots=True)
class ByWeb:
    """Needs neither AE titles nor a way back; see `Pacs` for what is promised."""

    site: WebSite
    spool: Spool
    stall_s: float = 120.0

    async def echo(self) -> None:
        await asyncio.to_thread(self._rows, "/studies", limit="1")

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return await asyncio.to_thread(self._find_studies, exact_accession(accession))

    async def accessions_on(self, day: str) -> list[str]:
        """See `find.accessions_on`."""
        rows = await asyncio.to_thread(self._rows, "/studies", StudyDate=day, includefield=ACCESSION)
        return [_text(row, ACCESSION) for row in rows]

    async def retrieve(self, hit: StudyHit) -> Outcome:
        retrieval = _Streaming(self.site.line(), Arriving(self.spool, hit.study_uid), hit.instances)
        return await watched(retrieval, self.stall_s)

    def _find_studies(self, accession: str) -> list[StudyHit]:
        rows = self._rows("/studies", AccessionNumber=accession, includefield=",".join(KEYS))
        return [self._hit(row) for row in rows if _text(row, ACCESSION) == accession]

    def _hit(self, row: dict[str, Any]) -> StudyHit:
        uid = valid_uid(_text(row, STUDY_UID))
        told = _number(row, INSTANCES)
        return StudyHit(
            study_uid=uid,
            instances=self._counted_by_series(uid) if told is None else told,
            date=_text(row, DATE),
            time=_text(row, TIME),
            modalities=_texts(row, MODALITIES),
            series=_number(row, SERIES),
        )

    def _counted_by_series(self, study_uid: str) -> int | None:
        rows = self._rows(f"/studies/{study_uid}/series", includefield=SERIES_INSTANCES)
        told = [count for row in rows if (count := _number(row, SERIES_INSTANCES)) is not None]
        return sum(told) if told and len(told) == len(rows) else None

    def _rows(self, path: str, **query: str) -> list[dict[str, Any]]:
        with self.site.line() as line, ends_within(LONGEST_QUERY_S, line.cut):
            response = line.get(f"{path}?{urlencode(query)}", "application/dicom+json")
            if response.status == HTTPStatus.NO_CONTENT:
                return []
            return _json_rows(line.read(response, ANSWER_BYTES + 1))


@dataclass(slots=True)
class _Streaming:
    """One study on its way over one connection."""

    line: Line
    arriving: Arriving
    expected: int | None = field(default=None)

    def run(self) -> Outcome:
        with self.line as line:
            response = line.get(f"/studies/{self.arriving.study_uid}", IMAGES)
            boundary = boundary_of(response.getheader("Content-Type", ""))
            for part in parts(self._pieces(response), boundary):
                self.arriving.store(part)
        missing = max(0, (self.expected or 0) - self.arriving.stored)
        return Outcome(self.arriving.stored, missing, 0, INCOMPLETE if missing else SUCCESS)

    def progress(self) -> object:
        return self.arriving.received

    def cancel(self) -> None:
        self.arriving.stop()
        self.abort()  # HTTP has no other way to say so

    def abort(self) -> None:
        self.line.cut()

    def _pieces(self, response: HTTPResponse) -> Iterator[bytes]:
        while piece := self.line.read_some(response, PIECE_BYTES):
            yield piece


def _json_rows(body: bytes) -> list[dict[str, Any]]:
    if len(body) > ANSWER_BYTES:
        raise PacsError(Trouble.TOO_MUCH, f"an answer of more than {ANSWER_BYTES} bytes")
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PacsError(Trouble.NOT_DICOMWEB, type(error).__name__) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PacsError(Trouble.NOT_DICOMWEB, "no list of studies")
    return rows


def _texts(row: dict[str, Any], tag: str) -> tuple[str, ...]:
    element = row.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return tuple(str(value) for value in values if value is not None) if isinstance(values, list) else ()


def _text(row: dict[str, Any], tag: str) -> str:
    return "\\".join(_texts(row, tag))


def _number(row: dict[str, Any], tag: str) -> int | None:
    text = _text(row, tag)
    return int(text) if text.isascii() and text.isdigit() else None
