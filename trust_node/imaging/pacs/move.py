"""C-MOVE: the PACS sends a study to the node's own receiver, which it must know (PS3.4 C.4.2)."""

import asyncio
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom.association import Association
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove  # type: ignore[attr-defined]

from trust_node.imaging.pacs.dimse import Answers, DimseRetrieval
from trust_node.imaging.pacs.find import accessions_on, echo, find_studies
from trust_node.imaging.pacs.hits import Outcome, StudyHit, exact_accession
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.watching import watched
from trust_node.imaging.spool import Spool

MODEL = StudyRootQueryRetrieveInformationModelMove


@dataclass(frozen=True, slots=True)
class ByMove:
    """`destination` is the AE title of the receiver that fills `spool`; see `Pacs` for what is promised."""

    peer: Peer
    spool: Spool
    destination: str
    stall_s: float = 120.0

    async def echo(self) -> None:
        await asyncio.to_thread(echo, self.peer)

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return await asyncio.to_thread(find_studies, self.peer, exact_accession(accession))

    async def accessions_on(self, day: str) -> list[str]:
        """See `find.accessions_on`."""
        return await asyncio.to_thread(accessions_on, self.peer, day)

    async def retrieve(self, hit: StudyHit) -> Outcome:
        moving = DimseRetrieval(
            self.peer, hit.study_uid, MODEL, self._request, lambda: self.spool.count(hit.study_uid), Meter()
        )
        return await watched(moving, self.stall_s)

    def _request(self, association: Association, study: Dataset) -> Answers:
        return association.send_c_move(study, self.destination, MODEL)
