"""Fill a PACS over DICOM, as a scanner would, and count what it holds afterwards."""

import socket
from collections.abc import Iterable
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]

from trust_node.imaging.sockets import keep_answers

SUCCESS, PENDING = 0x0000, (0xFF00, 0xFF01)
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def load_into_pacs(host: str, port: int, aet: str, files: Iterable[Path]) -> int:
    """Send the files by C-STORE on one association; return how many the PACS then counts (PS3.4 B, C).

    Raises
    ------
    RuntimeError
        The PACS refuses the association or a file, or counts other instances than were sent.
    """
    association = _associate(host, port, aet)
    try:
        sent = _store(association, files)
        counted = {study: _count(association, study) for study in sent}
    finally:
        association.release()
    if counted != sent:
        raise RuntimeError(f"PACS {aet} counts {sum(counted.values())} of {sum(sent.values())} instances")
    return sum(counted.values())


def _associate(host: str, port: int, aet: str) -> Association:
    entity = AE(ae_title="DEMO-SCANNER")
    for syntax in SYNTAXES:  # one context each: the data set is sent as it is on disk
        entity.add_requested_context(MRImageStorage, syntax)
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
    handlers = [(evt.EVT_CONN_OPEN, _stay_prompt), (evt.EVT_PDU_RECV, _stay_prompt)]
    association = entity.associate(host, port, ae_title=aet, evt_handlers=handlers)  # type: ignore[arg-type]
    if not association.is_established:
        raise RuntimeError(f"PACS {aet} at {host}:{port} refuses the association: is it started?")
    keep_answers(association)
    return association


def _stay_prompt(event: evt.Event) -> None:
    # A PACS that leaves Nagle on waits 40 ms for each delayed ACK; Linux forgets QUICKACK after every read.
    transport = event.assoc.dul.socket
    if transport and transport.socket:
        transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _store(association: Association, files: Iterable[Path]) -> dict[str, int]:
    sent: dict[str, int] = {}
    for path in files:
        dataset = dcmread(path)
        status = association.send_c_store(dataset)
        if status.get("Status") != SUCCESS:
            raise RuntimeError(f"PACS refuses {path.name}: status {status.get('Status', 'none, connection lost')}")
        sent[dataset.StudyInstanceUID] = sent.get(dataset.StudyInstanceUID, 0) + 1
    return sent


def _count(association: Association, study_uid: str) -> int:
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = study_uid
    query.NumberOfStudyRelatedInstances = None
    answers = association.send_c_find(query, StudyRootQueryRetrieveInformationModelFind)
    return sum(
        int(found.NumberOfStudyRelatedInstances) for status, found in answers if found and status.Status in PENDING
    )
