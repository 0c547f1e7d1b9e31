"""Sixty studies, five of them broken, three kills: every good one archived once, every bad one named, no hand work."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from bus.proof.statements import verify
from client.sdk import Trustflow
from infra import lifecycle
from infra.federation import Federation
from schemas.topics import OPERATOR
from schemas.trust_imaging import ProjectPurged
from schemas.views import TrustImport
from tests.e2e.many_studies import TRUST, play, raised
from tests.e2e.runs import connected, speaker
from tests.e2e.study_ends import Outcome
from tests.integration.eventually import until

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


@pytest.fixture(scope="module")
async def outcome(alone: Federation) -> Outcome:
    return await play(alone, STUDIES, KILLS, EVERY_S, timeout_s=180)


@pytest.fixture
async def hub(alone: Federation) -> AsyncIterator[Trustflow]:
    async with connected(alone) as hub:
        yield hub


async def test_all_good_studies_arrive_once_and_each_bad_one_is_named(outcome: Outcome) -> None:
    assert not outcome.check(), "\n".join(outcome.check())
    assert outcome.kills == KILLS, "the import was through before everything was killed: let it kill more often"


async def test_a_comparison_agrees_with_what_was_told(outcome: Outcome, hub: Trustflow) -> None:
    await hub.reconcile_import(outcome.project_id, TRUST)

    async def compared() -> bool:
        return (await at_the_trust(hub, outcome)).comparison is not None

    await until(compared)
    found = (await at_the_trust(hub, outcome)).comparison
    assert found is not None
    assert (found.studies, found.agreed, found.differences) == (STUDIES, STUDIES, {})


async def test_a_closed_project_is_gone_from_the_trust_with_a_proof(
    outcome: Outcome, hub: Trustflow, alone: Federation
) -> None:
    await hub.close(outcome.project_id)

    async def purged() -> bool:
        return (await at_the_trust(hub, outcome)).purged is not None

    await until(purged)
    proof = await last_proof(alone)
    assert (proof.project_id, proof.retained) == (outcome.project_id, 0)
    assert proof.sessions == len(outcome.archived)
    verify((alone.trust_keys / f"{TRUST}.pem").read_bytes(), proof.statement, proof.signature)
    assert originals_left(alone) == []


def originals_left(federation: Federation) -> list[Path]:
    data = federation.run / f"node-{TRUST}"
    return [file for room in ("content", "spool", "work") for file in (data / room).rglob("*.dcm")]


async def at_the_trust(hub: Trustflow, outcome: Outcome) -> TrustImport:
    return (await hub.imports(outcome.project_id)).trusts[TRUST]


async def last_proof(federation: Federation) -> ProjectPurged:
    topic = f"trust.{TRUST}.events"
    async with speaker(federation, OPERATOR) as voice, aclosing(voice.events((topic,), until="now")) as said:
        proofs = [heard.message async for heard in said if isinstance(heard.message, ProjectPurged)]
    (proof,) = proofs
    return proof
