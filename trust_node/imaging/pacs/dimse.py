"""A study brought by C-MOVE or C-GET: one association, one request, answers until the last one (PS3.4 C.4.2, C.4.3)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Timer

from pydicom import Dataset
from pynetdicom.association import Association
from pynetdicom.events import EventHandlerType
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext

from trust_node.imaging.pacs.find import study_query
from trust_node.imaging.pacs.hits import Outcome
from trust_node.imaging.pacs.meter import Meter
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.troubles import PacsError, Trouble

FAREWELL_S = 1.0
Answers = Iterator[tuple[Dataset, Dataset | None]]


@dataclass(slots=True)
class DimseRetrieval:
    """`request` sends the identifier; `arrived` counts what is there, wherever it arrives.

    `refused` is what the handlers of arriving images found wrong; the retrieval then ends.
    """

    peer: Peer
    study_uid: str = field(repr=False)
    model: str
    request: Callable[[Association, Dataset], Answers]
    arrived: Callable[[], int]
    meter: Meter
    contexts: Sequence[PresentationContext] = ()
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = ()
    handlers: Sequence[EventHandlerType] = ()
    refused: PacsError | None = None
    _answers: int = 0
    _association: Association | None = None

    def run(self) -> Outcome:
        last = Dataset()
        with self.peer.association(
            self.model, *self.contexts, meter=self.meter, roles=self.roles, handlers=self.handlers
        ) as self._association:
            # The watch decides when silence has been too long.
            self._association.network_timeout = self._association.dimse_timeout = None
            for status, _ in self.request(self._association, study_query("STUDY", self.study_uid)):
                self.meter.handled()
                last = status
                self._answers += 1
        if self.refused:
            raise self.refused
        if "Status" not in last:
            raise PacsError(Trouble.TOO_MUCH if self.meter.exceeded else Trouble.CUT_OFF)
        return _outcome(last)

    def progress(self) -> object:
        if self.refused:
            raise self.refused
        return self._answers, self.meter.total, self.arrived()

    def cancel(self) -> None:
        if self._association is not None:
            with suppress(RuntimeError, ValueError):  # it has just ended by itself
                self._association.send_c_cancel(1, query_model=self.model)

    def abort(self) -> None:
        if self._association is not None:
            self._association.abort(block=False)
            Timer(FAREWELL_S, self.meter.cut).start()
            self._association.dimse.msg_queue.put((None, None))


def _outcome(status: Dataset) -> Outcome:
    def count(result: str) -> int:
        return int(status.get(f"NumberOf{result}Suboperations") or 0)

    return Outcome(count("Completed"), count("Failed"), count("Warning"), int(status.Status))
