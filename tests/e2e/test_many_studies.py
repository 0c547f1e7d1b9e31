"""Sixty studies, five of them broken, three kills: every good one archived once, every bad one named, no hand work."""

from collections.abc import Iterator

import pytest

from infra import lifecycle
from infra.federation import Federation
from tests.e2e.many_studies import play, raised

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

STUDIES, KILLS, EVERY_S = 60, 3, 4.0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """A trust of its own: what happens to it here is not for others to see."""
    run = tmp_path_factory.mktemp("many")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("KAFKA_BOOTSTRAP", raising=False)
            patch.delenv("DATABASE_URL", raising=False)
            yield raised(run)
    finally:
        lifecycle.down(print, run)


async def test_all_good_studies_arrive_once_and_each_bad_one_is_named(alone: Federation) -> None:
    outcome = await play(alone, STUDIES, KILLS, EVERY_S, timeout_s=180)
    assert not outcome.check(), "\n".join(outcome.check())
    assert outcome.kills == KILLS, "the import was through before everything was killed: let it kill more often"
