"""What was counted, and what is said of it."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from trust_node.imaging.receiver.counters import Count, Counters
from trust_node.imaging.receiver.notices import Notices

OTHER = """
import sys
from trust_node.imaging.receiver.counters import Count, Counters
Counters.at(int(sys.argv[1])).add(Count.BYTES, 2**40)
"""


def test_another_process_counts_in_the_same_numbers() -> None:
    counters = Counters.made()
    subprocess.run(
        [sys.executable, "-c", OTHER, str(counters.descriptor)],
        pass_fds=(counters.descriptor,), check=True, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert counters.figures()["bytes"] == 2**40
    os.close(counters.descriptor)


def test_threads_do_not_lose_counts() -> None:
    counters = Counters.made()
    threads = [Thread(target=lambda: [counters.add(Count.OBJECTS) for _ in range(2_000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.figures()["objects"] == 16_000


def test_whoever_was_open_in_a_dead_process_is_not_any_more() -> None:
    counters = Counters.made()
    counters.add(Count.OPEN, 3)
    counters.add(Count.OPEN, -1)
    counters.add(Count.ASSOCIATIONS, 3)
    counters.begin_anew()
    assert (counters.figures()["open"], counters.figures()["associations"]) == (0, 3)


def test_a_flood_is_said_thirty_times_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices(logging.getLogger("flood"))
    with caplog.at_level(logging.WARNING):
        for number in range(1_000):
            notices.warn("the %s-th", number)
    assert len(caplog.records) == 30
    assert notices._may_speak(notices._since + 61)
