"""Keeps a DICOM connection prompt whatever the peer does."""

import socket

from pynetdicom import _config, evt

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
