"""Processes that de-identify; they end with the node, however that ends."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process

from bus.watch.logs import Form, write_logs


def process_pool(workers: int, participant: str, form: Form) -> ProcessPoolExecutor:
    """Workers log as their participant does: what reads images warns of what it reads."""
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(participant, form)
    )


def _begin(participant: str, form: Form) -> None:
    write_logs(participant, form)
    _end_with_parent()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever: its siblings hold the queue open."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
