"""The node's side of its receiver: it opens the port, starts the process that serves it, and starts it again."""

import logging
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bus.watch.logs import Form
from trust_node.imaging.receiver.admission import Door, checked_networks
from trust_node.imaging.receiver.child import Child
from trust_node.imaging.receiver.counters import Count, Counters
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.process import Task
from trust_node.imaging.spool import Spool

log = logging.getLogger(__name__)

INSIDE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
"""Networks that no address of the internet is in."""
_WAITING = 64
_PAUSE_S = 1.0


@dataclass(slots=True)
class Receiver:
    """A C-STORE and C-ECHO SCP in a process of its own: what the PACS sends goes to the spool as it is (PS3.4 B).

    Use as a context manager, or `start` and `stop`; what was received survives in `spool` however it ends.

    Attributes
    ----------
    title, host, port
        How and where it is called; other called titles are refused.
    allowed_titles, allowed_networks
        The only calling AE titles, and the only networks, that it listens to.
    accept_unknown_storage
        Whether a SOP class that the standard does not know is taken for a private storage class.
    participant, form
        As whom, and how, its process writes logs.
    """

    spool: Spool
    title: str
    host: str
    port: int
    allowed_titles: tuple[str, ...]
    allowed_networks: tuple[str, ...] = INSIDE
    accept_unknown_storage: bool = True
    limits: Limits = field(default_factory=Limits)
    participant: str = "receiver"
    form: Form = "json"
    _counters: Counters = field(default_factory=Counters.made, init=False)
    _listener: socket.socket | None = field(default=None, init=False)
    _child: Child | None = field(default=None, init=False)
    _keeper: threading.Thread | None = field(default=None, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        checked_networks(self.allowed_networks)

    def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the port is taken: choose another, and have the PACS told.
        RuntimeError
            If the receiver's process ends at once; its log says why.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=_WAITING)
        self._stopping.clear()
        task = self._task(self._listener)
        try:
            self._child = Child.started(task)
        except RuntimeError:
            self.stop()
            raise
        self._keeper = threading.Thread(target=self._keep, args=(self._child, task), daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Close all associations and the port; safe to call twice."""
        self._stopping.set()
        if self._child:
            self._child.end()
        if self._keeper:
            self._keeper.join()
        if self._listener:
            self._listener.close()
        self._child = self._keeper = self._listener = None

    def figures(self) -> dict[str, int]:
        """Return what was counted since the receiver was made, by the names in `Count`."""
        return self._counters.figures()

    @property
    def pid(self) -> int | None:
        """The process that serves now."""
        return self._child.popen.pid if self._child else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _task(self, listener: socket.socket) -> Task:
        from trust_node.imaging.receiver.uids import taken  # noqa: PLC0415  the child does not need pydicom

        kinds = taken(unknown=self.accept_unknown_storage)
        door = Door(self.title, self.allowed_titles, self.allowed_networks, kinds, self.limits.pdu)
        return Task(
            listener.fileno(),
            self._counters.descriptor,
            door,
            self.limits,
            self.spool.root,
            self.participant,
            self.form,
        )

    def _keep(self, child: Child, task: Task) -> None:
        """Start it anew when it dies. The port stays open meanwhile: peers wait, and are not refused."""
        child.popen.wait()
        while not self._stopping.wait(_PAUSE_S):
            log.error("the receiver's process ended with %s: it is started again", child.popen.returncode)
            self._counters.add(Count.RESTARTS)
            self._counters.begin_anew()
            try:
                self._child = child = Child.started(task)
            except RuntimeError as broken:
                log.error("%s", broken)  # noqa: TRY400  a trace adds nothing
            if self._stopping.is_set():
                child.end()
            child.popen.wait()
