"""The PACS as a DICOM peer: associations with it, and why there is none (PS3.8 9.3.4)."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import EventHandlerType
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context

from trust_node.imaging.pacs.deadline import ends_within
from trust_node.imaging.pacs.meter import LARGEST_PDU, Meter
from trust_node.imaging.pacs.troubles import PacsError, Trouble
from trust_node.imaging.sockets import PROMPT_HANDLERS, keep_answers

PROBE_S = 5.0

# (source, reason) of an A-ASSOCIATE-RJ, PS3.8 table 9-21
REJECTIONS = {
    (1, 2): Trouble.SERVICE_REFUSED,
    (1, 3): Trouble.OUR_TITLE_UNKNOWN,
    (1, 7): Trouble.THEIR_TITLE_WRONG,
    (3, 1): Trouble.BUSY,
    (3, 2): Trouble.BUSY,
}


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a PACS is and how both sides are called; `timeout_s` bounds each wait for an answer."""

    host: str
    port: int
    title: str
    our_title: str
    timeout_s: float = 60.0

    @contextmanager
    def association(
        self,
        *contexts: PresentationContext | str,
        meter: Meter,
        roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
        handlers: Sequence[EventHandlerType] = (),
    ) -> Iterator[Association]:
        """Open an association whose first context is the one that counts; release it at the end.

        Raises
        ------
        PacsError
            Naming why the PACS does not associate, or does not offer the first context.
        """
        proposed = [build_context(each) if isinstance(each, str) else each for each in contexts]
        watched = [(evt.EVT_CONN_OPEN, meter.watch), *PROMPT_HANDLERS, *handlers]
        with ends_within(2 * self.timeout_s, meter.cut):
            association = self._associate(proposed, roles, watched)
        keep_answers(association)
        meter.handled()
        try:
            _require(association, str(proposed[0].abstract_syntax))
            yield association
        finally:
            with ends_within(2 * self.timeout_s, meter.cut):
                association.release()

    def _associate(
        self,
        contexts: list[PresentationContext],
        roles: Sequence[SCP_SCU_RoleSelectionNegotiation],
        handlers: Sequence[EventHandlerType],
    ) -> Association:
        try:
            association = self._entity().associate(
                self.host,
                self.port,
                contexts,
                ae_title=self.title,
                max_pdu=LARGEST_PDU,
                ext_neg=list(roles),
                evt_handlers=list(handlers),
            )
        except OSError:  # the name is looked up here already
            raise PacsError(trouble_reaching(self.host, self.port)) from None
        if not association.is_established:
            raise self._why_not(association)
        return association

    def _entity(self) -> AE:
        entity = AE(ae_title=self.our_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self.timeout_s
        entity.connection_timeout = self.timeout_s
        return entity

    def _why_not(self, association: Association) -> PacsError:
        answer = association.acceptor.primitive
        if association.is_rejected and answer is not None:
            reason = (cast("int", answer.result_source), cast("int", answer.diagnostic))
            return PacsError(REJECTIONS.get(reason, Trouble.ASSOCIATION_REJECTED), f"reason {reason[0]}/{reason[1]}")
        if answer is not None:
            return PacsError(Trouble.SERVICE_REFUSED)
        return PacsError(trouble_reaching(self.host, self.port))


def trouble_reaching(host: str, port: int) -> Trouble:
    """Find out, by connecting once more, why there was no answer to an association request."""
    try:
        socket.create_connection((host, port), PROBE_S).close()
    except socket.gaierror:
        return Trouble.HOST_UNKNOWN
    except ConnectionRefusedError:
        return Trouble.PORT_CLOSED
    except OSError:
        return Trouble.HOST_SILENT
    return Trouble.NOT_DICOM


def _require(association: Association, service: str) -> None:
    if not any(context.abstract_syntax == service for context in association.accepted_contexts):
        raise PacsError(Trouble.SERVICE_REFUSED)
