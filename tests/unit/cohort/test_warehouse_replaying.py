"""How old a replica's data may be, by its place in the log; what the server's last words become."""

from math import inf
from typing import Any

import asyncpg
import pytest

from trust_node.cohort.warehouse import replaying
from trust_node.cohort.warehouse.faults import WarehouseError, WarehouseFault
from trust_node.cohort.warehouse.replaying import Position, Replay
from trust_node.cohort.warehouse.store import in_fixed_words
from trust_node.cohort.warehouse.verifying import Result, Verification, kept_up

LIMIT_S = 600.0
HOURS = 50_000.0


class Server:
    """Says where it stands, one place after the other, the last for ever."""

    def __init__(self, *places: tuple[bool, str | None, str | None, float | None]) -> None:
        self.places = list(places)

    async def fetchrow(self, _sql: str) -> tuple[Any, ...]:
        return self.places.pop(0) if len(self.places) > 1 else self.places[0]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "PATIENCE_S", 0.05)
    monkeypatch.setattr(replaying, "LOOK_S", 0.0)


@pytest.mark.parametrize(
    ("places", "least_s", "most_s"),
    [
        pytest.param([(True, "0/7000060", "0/7000060", HOURS)], 0, 1, id="the primary is idle"),
        pytest.param([(True, "1/0", "0/FFFFFFFF", HOURS)], HOURS, HOURS, id="replay is held back"),
        pytest.param([(True, "1/0", "0/FFFFFFFF", 5.0)], 5, 5, id="a little late"),
        pytest.param(
            [(True, "1/80", "1/0", HOURS), (True, "2/0", "1/80", HOURS)], 0, 1, id="catches up with what was there"
        ),
        pytest.param([(False, "1/0", "1/0", HOURS)], HOURS, HOURS, id="cut off"),
        pytest.param([(True, "1/0", "1/80", HOURS)], HOURS, HOURS, id="has just begun to receive"),
        pytest.param([(False, None, "1/80", 30.0)], 30, 30, id="by shipped files"),
        pytest.param([(False, None, None, None)], inf, inf, id="nothing replayed"),
    ],
)
async def test_the_age_is_that_of_what_has_not_been_replayed(places: Any, least_s: float, most_s: float) -> None:
    assert least_s <= await Replay().age_s(Server(*places), LIMIT_S) <= most_s


async def test_a_replica_ages_from_when_it_was_last_whole() -> None:
    replay = Replay()
    await replay.age_s(Server((True, "1/0", "1/0", HOURS)), LIMIT_S)
    assert await replay.age_s(Server((False, "1/0", "1/0", HOURS)), LIMIT_S) < 1


def test_places_compare_as_numbers() -> None:
    assert Position.of(True, "A/0", "9/FFFFFFFF", 0).received == Position.of(True, "9/0", "9/FFFFFFFF", 0).replayed + 1


def test_behind_and_not_hardened_are_told_apart() -> None:
    sound, open_door, late = Result("a", True, ""), Result("b", False, ""), kept_up(inf, LIMIT_S)
    assert "nothing tells" in late.found
    assert Verification("15", (sound,), True, kept_up(1, LIMIT_S)).fault is None
    assert Verification("15", (sound,), True, late).fault is WarehouseFault.BEHIND
    assert Verification("15", (sound, open_door), True, late).fault is WarehouseFault.NOT_HARDENED


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("40001", WarehouseFault.INTERRUPTED),
        ("40P01", WarehouseFault.INTERRUPTED),
        ("55P03", WarehouseFault.INTERRUPTED),
        ("57014", WarehouseFault.TIMEOUT),
        ("57P01", WarehouseFault.UNREACHABLE),
        ("57P02", WarehouseFault.UNREACHABLE),
        ("57P03", WarehouseFault.UNREACHABLE),
        ("57P04", WarehouseFault.UNREACHABLE),
        ("57P05", WarehouseFault.UNREACHABLE),
        ("08006", WarehouseFault.UNREACHABLE),
        ("28P01", WarehouseFault.UNREACHABLE),
        ("3D000", WarehouseFault.UNREACHABLE),
        ("53300", WarehouseFault.UNREACHABLE),
        ("22012", WarehouseFault.QUERY_FAILED),
    ],
)
async def test_each_state_of_the_server_is_one_fault_without_its_words(state: str, fault: WarehouseFault) -> None:
    @in_fixed_words
    async def asked() -> None:
        raise asyncpg.PostgresError.new({"C": state, "M": "Canary Zwolinski"})

    with pytest.raises(WarehouseError) as error:
        await asked()
    assert error.value.fault is fault
    assert "Canary" not in str(error.value) + error.value.sentence
