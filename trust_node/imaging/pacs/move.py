"""C-MOVE: the PACS sends a study to the node's own receiver, which it must know (PS3.4 C.4.2)."""

from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom.association import Association
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove  # type: ignore[attr-defined]

from trust_node.imaging.pacs.asking import ByDimse
from trust_node.imaging.pacs.dimse import Answers, DimseRetrieval
from trust_node.imaging.pacs.hits import Outcome, StudyHit
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.watching import watched

MODEL = StudyRootQueryRetrieveInformationModelMove


@dataclass(frozen=True, slots=True)
class ByMove(ByDimse):
    """`destination` is the AE title of the receiver that fills `spool`; see `Pacs` for what is promised."""

    destination: str
    stall_s: float = 120.0

    async def retrieve(self, hit: StudyHit) -> Outcome:
        moving = DimseRetrieval(
            self.peer, hit.study_uid, MODEL, self._request, lambda: self.spool.count(hit.study_uid), Meter()
        )
        return await watched(moving, self.stall_s)

    def _request(self, association: Association, study: Dataset) -> Answers:
        return association.send_c_move(study, self.destination, MODEL)
