"""Fill a PACS over DICOM, as a scanner would, and count what it holds afterwards."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]

from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.sending import SendingError, send_files
from trust_node.imaging.sockets import PROMPT_HANDLERS, keep_answers

SUCCESS, PENDING = 0x0000, (0xFF00, 0xFF01)
OUR_TITLE = "DEMO-SCANNER"


def load_into_pacs(host: str, port: int, aet: str, files: Iterable[Path]) -> int:
    """Send the files by C-STORE; return how many the PACS then counts (PS3.4 B, C).

    Raises
    ------
    RuntimeError
        The PACS refuses the association or a file, or counts other instances than were sent.
    """
    sent = _store(Peer(host, port, aet, OUR_TITLE), files)
    association = _associate(host, port, aet)
    try:
        counted = {study: _count(association, study) for study in sent}
    finally:
        association.release()
    if counted != sent:
        raise RuntimeError(f"PACS {aet} counts {sum(counted.values())} of {sum(sent.values())} instances")
    return sum(counted.values())


def _associate(host: str, port: int, aet: str) -> Association:
    entity = AE(ae_title=OUR_TITLE)
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
    association = entity.associate(host, port, ae_title=aet, evt_handlers=list(PROMPT_HANDLERS))
    if not association.is_established:
        raise RuntimeError(f"PACS {aet} at {host}:{port} refuses the association: is it started?")
    keep_answers(association)
    return association


def _store(peer: Peer, files: Iterable[Path]) -> dict[str, int]:
    """Send the files as they are on disk; return how many of each study."""
    try:
        answers = list(send_files(peer, files))
    except SendingError as refused:
        raise RuntimeError(f"PACS {peer.title} at {peer.host}:{peer.port}: is it started?") from refused
    for sent in answers:
        if sent.status != SUCCESS:
            raise RuntimeError(f"PACS refuses {sent.path.name}: status {sent.status}")
    return Counter(str(dcmread(sent.path, stop_before_pixels=True).StudyInstanceUID) for sent in answers)


def _count(association: Association, study_uid: str) -> int:
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = study_uid
    query.NumberOfStudyRelatedInstances = None
    answers = association.send_c_find(query, StudyRootQueryRetrieveInformationModelFind)
    return sum(
        int(found.NumberOfStudyRelatedInstances) for status, found in answers if found and status.Status in PENDING
    )
