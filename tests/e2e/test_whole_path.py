"""The whole path, as the demo plays it. The last module: its search for leaks is of all that the others left, too."""

from dataclasses import replace

import pytest

from client.sdk import Trustflow
from infra.demo.claims import claims
from infra.demo.leaks import Canaries, leaks
from infra.demo.plan import canaries
from infra.demo.play import Play
from infra.federation import Federation

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_whole_path_keeps_every_claim_and_leaves_no_canary_in_the_hub(
    federation: Federation, played: Play, hub: Trustflow
) -> None:
    play = replace(played, hub=hub)
    await play.train()
    planted = Canaries(canaries(list(play.hospitals.studies)))
    assert len(planted) > 100
    found = claims(play.story, play.hospitals, await leaks(federation, planted), len(planted))
    assert [claim for claim in found if not claim.holds] == []
