"""The receiver's own process: strangers' bytes are read where neither keys nor models are.

It is told what to do by its standard input, and ends when that does: with its parent, however that ends.
"""

import pickle
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from bus.watch.logs import Form, write_logs
from trust_node.imaging.receiver.admission import Door
from trust_node.imaging.receiver.counters import Counters
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.server import Server
from trust_node.imaging.spool import Spool

READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class Task:
    """`listener` and `counters` are descriptors that the child inherits."""

    listener: int
    counters: int
    door: Door
    limits: Limits
    spool: Path
    participant: str
    form: Form


def main() -> None:
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301  our parent's words
    write_logs(task.participant, task.form)
    spool = Spool(task.spool)
    spool.sweep()
    with socket.socket(fileno=task.listener) as listener:
        server = Server(listener, task.door, task.limits, spool, Counters.at(task.counters))
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        server.serve(stop=sys.stdin.fileno())
