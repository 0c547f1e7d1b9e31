"""C-GET: the study comes on the association that asked for it, where the PACS may not call back (PS3.4 C.4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.uid import AllTransferSyntaxes, DeflatedExplicitVRLittleEndian
from pynetdicom import StoragePresentationContexts, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet  # type: ignore[attr-defined]

from trust_node.imaging.pacs.arriving import INSTANCE_BYTES, Arriving
from trust_node.imaging.pacs.asking import ByDimse
from trust_node.imaging.pacs.dimse import Answers, DimseRetrieval
from trust_node.imaging.pacs.hits import SUCCESS, Outcome, StudyHit
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.troubles import PacsError
from trust_node.imaging.pacs.watching import watched
from trust_node.imaging.spool import Spool

MODEL = StudyRootQueryRetrieveInformationModelGet
CANNOT_UNDERSTAND = 0xC000  # PS3.4 B.2.3
MOST_CONTEXTS = 127  # 128, PS3.8 9.3.2, less the one that asks
# Finding the study's UID in a deflated data set would mean inflating all of it.
SYNTAXES = [str(uid) for uid in AllTransferSyntaxes if uid != DeflatedExplicitVRLittleEndian]
COMMON_CLASSES = [str(context.abstract_syntax) for context in StoragePresentationContexts]


@dataclass(frozen=True, slots=True)
class ByGet(ByDimse):
    """The PACS needs to know our title, but no way to us; see `Pacs` for what is promised."""

    stall_s: float = 120.0

    async def retrieve(self, hit: StudyHit) -> Outcome:
        return await watched(getting(self.peer, self.spool, hit), self.stall_s)


def getting(peer: Peer, spool: Spool, hit: StudyHit) -> DimseRetrieval:
    """Make the retrieval whose images go to the spool as they come, bytes untouched."""
    arriving, meter = Arriving(spool, hit.study_uid), Meter(most=INSTANCE_BYTES)

    def store(event: evt.Event) -> int:
        try:
            if not retrieval.refused:
                arriving.store([event.encoded_dataset()])
        except PacsError as refused:
            retrieval.refused = refused
        meter.handled()
        return CANNOT_UNDERSTAND if retrieval.refused else SUCCESS

    contexts = storage_contexts(hit.sop_classes)
    classes = {str(context.abstract_syntax) for context in contexts}
    retrieval = DimseRetrieval(
        peer,
        hit.study_uid,
        MODEL,
        _request,
        lambda: arriving.stored,
        meter,
        contexts,
        [build_role(uid, scp_role=True) for uid in classes],
        [(evt.EVT_C_STORE, store)],
    )
    return retrieval


def storage_contexts(sop_classes: Sequence[str]) -> list[PresentationContext]:
    """Propose what lets the PACS send every image as it is, at most 127 contexts.

    A context of its own for each class and transfer syntax, as only one syntax of a context is accepted; where
    those are too many, or the classes are not known, one for each class.
    """
    classes = list(sop_classes) or COMMON_CLASSES
    if len(classes) * len(SYNTAXES) <= MOST_CONTEXTS:
        return [build_context(uid, syntax) for uid in classes for syntax in SYNTAXES]
    return [build_context(uid, SYNTAXES) for uid in classes[:MOST_CONTEXTS]]


def _request(association: Association, study: Dataset) -> Answers:
    return association.send_c_get(study, MODEL)
