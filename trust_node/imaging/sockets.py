"""Keeps a DICOM connection prompt whatever the peer does, and its answers where they are waited for."""

import socket
from typing import Any

from pynetdicom import _config, evt
from pynetdicom.association import Association

# Identifiers in C-FIND requests and answers are patient data, and pynetdicom logs them unless told not to.
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False


def stay_prompt(event: evt.Event) -> None:
    """Turn Nagle's algorithm off, and delayed acknowledgement for the next read, on this association.

    A peer that leaves Nagle on waits 40 ms for each delayed ACK, and Linux forgets QUICKACK after every read,
    so this is bound to the opening of a connection and to each PDU received.
    """
    transport = event.assoc.dul.socket
    if transport is None or transport.socket is None:
        return
    transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


PROMPT_HANDLERS: list[evt.EventHandlerType] = [
    (evt.EVT_CONN_OPEN, stay_prompt),
    (evt.EVT_PDU_RECV, stay_prompt),
]


def keep_answers(association: Association) -> None:
    """Leave every answer on an association we opened to the `send_c_...` call that waits for it.

    pynetdicom's reactor thread also polls for messages, to serve requests, and is to pause while a call waits.
    It reports itself paused a moment too early, so on a busy machine (2 in 450 here) it takes an answer as a
    request and drops it: a study is then "not found", or the call waits for its time-out. Nobody sends requests
    on an association like this, so the reactor's polls, the only ones that do not block, find nothing.
    """
    receive = association.dimse.get_msg

    def receive_if_waited_for(block: bool = False) -> Any:
        return receive(block=True) if block else (None, None)

    association.dimse.get_msg = receive_if_waited_for  # type: ignore[method-assign]  # no hook does this
