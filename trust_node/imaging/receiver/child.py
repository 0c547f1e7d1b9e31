"""A process of ours that serves while its standard input is open."""

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

from trust_node.imaging.receiver.process import READY, Task

_END_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Child:
    popen: subprocess.Popen[bytes]

    @classmethod
    def started(cls, task: Task) -> Self:
        """Start it, and wait until it serves.

        Raises
        ------
        RuntimeError
            If it ends before that; its log says why.
        """
        popen = subprocess.Popen(
            [sys.executable, "-m", "trust_node.imaging.receiver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(task.listener, task.counters),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            process_group=0,  # signals of a terminal are for its parent, which ends it in good order
        )
        child = cls(popen)
        if not child._is_ready(task):
            child.end()
            raise RuntimeError(f"the receiver's process ended at once with {popen.returncode}: read its log")
        return child

    def end(self) -> None:
        """Have it end its associations and itself; safe to call twice."""
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                pipe.close()
        try:
            self.popen.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def _is_ready(self, task: Task) -> bool:
        assert self.popen.stdin  # noqa: S101  opened above
        assert self.popen.stdout  # noqa: S101
        try:
            pickle.dump(task, self.popen.stdin)
            self.popen.stdin.flush()
        except BrokenPipeError:
            return False
        return self.popen.stdout.readline() == READY
