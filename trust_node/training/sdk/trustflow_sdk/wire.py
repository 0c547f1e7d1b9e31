"""One message between node and sandbox: JSON in one packet, with at most one open file beside it.

The socket is a SOCK_SEQPACKET: the kernel keeps the borders of messages, and a closed end reads as empty.
"""

import json
import os
import socket
from typing import Any

MESSAGE_LIMIT = 64 * 2**10
"""Bytes of one message; tensors travel as files, so this is plenty."""


class Malformed(Exception):
    """The other side sent something that is no message."""


def send(wire: socket.socket, message: dict[str, Any], file: int | None = None) -> None:
    packet = json.dumps(message, allow_nan=False).encode()
    if len(packet) > MESSAGE_LIMIT:
        raise Malformed(f"a message of {len(packet)} bytes: keep it below {MESSAGE_LIMIT}")
    socket.send_fds(wire, [packet], [] if file is None else [file])


def receive(wire: socket.socket) -> tuple[Any, int | None]:
    """Read one message and the file that came with it.

    Raises
    ------
    EOFError
        the other side has gone.
    Malformed
        not JSON, or too long; a file that came with it is closed.
    """
    packet, files, _, _ = socket.recv_fds(wire, MESSAGE_LIMIT, 1)
    file = files[0] if files else None
    if file is not None:
        # Python 3.11's recv_fds drops the flag that would do this
        os.set_inheritable(file, False)
    if not packet:
        _close(file)
        raise EOFError
    try:
        return json.loads(packet), file
    except (ValueError, RecursionError) as error:
        _close(file)
        raise Malformed(f"a message must be JSON of at most {MESSAGE_LIMIT} bytes") from error


def _close(file: int | None) -> None:
    if file is not None:
        os.close(file)
