"""Warnings that a peer can cause, as many as somebody can read: what nobody reads must not fill a disk."""

import logging
import threading
import time
from dataclasses import dataclass, field

_A_MINUTE = 30
_MINUTE_S = 60.0


@dataclass(slots=True)
class Notices:
    """At most 30 a minute; the rest are in the counters."""

    log: logging.Logger
    _since: float = 0.0
    _said: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def warn(self, text: str, *values: object) -> None:
        if self._may_speak(time.monotonic()):
            self.log.warning(text, *values)

    def _may_speak(self, now: float) -> bool:
        with self._lock:
            if now - self._since > _MINUTE_S:
                self._since, self._said = now, 0
            self._said += 1
            return self._said <= _A_MINUTE
