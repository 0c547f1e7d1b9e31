"""One record that our own decoder stumbles over is put aside, and counted as our fault."""

import pytest

import bus.taken
from bus.decode import Unreadable
from bus.router import Router
from bus.taken import take
from schemas.trust import EndRun
from tests.unit.bus.recorded import record_of


def test_a_fault_of_the_decoder_is_a_dead_letter_and_counts_as_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbling(_record: object) -> None:
        raise RecursionError

    monkeypatch.setattr(bus.taken, "decode", stumbling)
    taken = take(record_of(EndRun(trust_id="amber", run_id="r1")), Router())
    assert isinstance(taken.read, Unreadable)
    assert (taken.read.code, taken.read.parked, taken.is_an_outsiders_fault) == ("reading_failed", False, False)
