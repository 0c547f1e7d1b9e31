"""The PACS by C-MOVE, as the importer asks for it."""

import asyncio
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom.association import Association

from trust_node.imaging.pacs.dimse import Answers, DimseRetrieval
from trust_node.imaging.pacs.find import find_studies
from trust_node.imaging.pacs.hits import Outcome, StudyHit, exact_accession
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.move import MODEL
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.watching import watched


@dataclass(frozen=True, slots=True)
class Pacs:
    """Where the PACS is and how both sides are called; `timeout_s` bounds each wait for an answer."""

    host: str
    port: int
    title: str
    our_title: str
    timeout_s: float = 60.0

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return await asyncio.to_thread(find_studies, self._peer, exact_accession(accession))

    async def move(self, study_uid: str, destination_aet: str) -> Outcome:
        def request(association: Association, study: Dataset) -> Answers:
            return association.send_c_move(study, destination_aet, MODEL)

        return await watched(DimseRetrieval(self._peer, study_uid, MODEL, request, int, Meter()), self.timeout_s)

    @property
    def _peer(self) -> Peer:
        return Peer(self.host, self.port, self.title, self.our_title, self.timeout_s)
