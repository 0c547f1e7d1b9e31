"""The node's own DICOM receiver: what the PACS sends goes to the spool, pixels undecoded (PS3.4 B)."""

import logging
from dataclasses import dataclass, field
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import AllTransferSyntaxes, DeflatedExplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import ThreadedAssociationServer

from trust_node.imaging.sockets import PROMPT_HANDLERS
from trust_node.imaging.spool import Spool

if TYPE_CHECKING:
    from pynetdicom.dimse_primitives import C_STORE

log = logging.getLogger(__name__)

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000  # PS3.4 B.2.3
STUDY_INSTANCE_UID = 0x0020000D
LARGEST_PDU = 131_072  # a fifth faster than the usual 16 KiB; larger gains nothing
# Finding the study's UID in a deflated data set would mean inflating all of it.
TRANSFER_SYNTAXES = [uid for uid in AllTransferSyntaxes if uid != DeflatedExplicitVRLittleEndian]


@dataclass(slots=True)
class Receiver:
    """A C-STORE and C-ECHO SCP; `allowed_titles` are the only calling AE titles it listens to.

    Use as a context manager, or `start` and `stop`; what was received survives in `spool` however it ends.
    """

    spool: Spool
    title: str
    host: str
    port: int
    allowed_titles: tuple[str, ...]
    _server: ThreadedAssociationServer | None = field(default=None, init=False)

    def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the port is taken: choose another, and have the PACS told.
        """
        handlers = [*PROMPT_HANDLERS, (evt.EVT_C_STORE, self._store)]
        self._server = self._entity().start_server((self.host, self.port), block=False, evt_handlers=handlers)

    def stop(self) -> None:
        """Close all associations and the port; safe to call twice."""
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _entity(self) -> AE:
        entity = AE(ae_title=self.title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self.allowed_titles)
        entity.maximum_pdu_size = LARGEST_PDU
        entity.add_supported_context(Verification)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), TRANSFER_SYNTAXES)
        return entity

    def _store(self, event: evt.Event) -> int:
        encoded = event.encoded_dataset()
        try:
            self.spool.write(_study_uid(encoded), _instance_uid(event), [encoded])
        except OSError as full:
            log.error("spool: cannot write, errno %s; free space under the spool folder", full.errno)  # noqa: TRY400  a trace adds nothing
            return OUT_OF_RESOURCES
        except (InvalidDicomError, AttributeError, ValueError, EOFError) as unreadable:
            log.warning("received an instance without a readable study: %s", type(unreadable).__name__)
            return CANNOT_UNDERSTAND
        return SUCCESS


def _instance_uid(event: evt.Event) -> str:
    return str(cast("C_STORE", event.request).AffectedSOPInstanceUID)


def _study_uid(encoded: bytes) -> str:
    """Read the header up to Study Instance UID and no further."""
    header = read_partial(BytesIO(encoded), stop_when=_past_study, specific_tags=[BaseTag(STUDY_INSTANCE_UID)])
    uid = str(header.StudyInstanceUID)
    if not uid:
        raise ValueError("no Study Instance UID")
    return uid


def _past_study(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) > STUDY_INSTANCE_UID
