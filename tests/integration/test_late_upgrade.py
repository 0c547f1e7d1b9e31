"""A hospital that was not upgraded yet: what it says in the old words has the effect of the new ones."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bus.uow import new_id
from schemas.envelope import Envelope, envelope_for, to_headers
from schemas.imaging import ImportFinished, ImportProgressed, ImportStarted, Tally
from schemas.trust_imaging import ImportPlanned, StudyAdvanced
from tests.conftest import Broker, Database
from tests.integration.hub import Voice, voice
from tests.integration.process import our_process
from tests.unit.bus.recorded import NOW, TRACE

pytestmark = pytest.mark.integration

V1 = "trustflow.trust.study_advanced.v1"
STUDIES = ("S0000000000000001", "S0000000000000002")


@pytest.fixture(scope="module")
async def speaking(kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voice]:
    await kafka.provision_federation()
    service = our_process(
        "services.imaging_ingest",
        "imaging_ingest",
        kafka,
        postgres.fresh_database("imaging_ingest"),
        tmp_path_factory.mktemp("late-upgrade"),
    )
    async with service, voice(kafka) as speaking:
        yield speaking


async def say_in_v1(voice: Voice, study: str, **said: Any) -> None:
    """Write the record that a release with version 1 wrote, signed by the trust."""
    new = StudyAdvanced(trust_id="amber", project_id="p-late", study=study, state="queued", attempt=1)
    author = voice.author(new.topic)
    envelope = envelope_for(new, id=new_id(), source=author.source, time=NOW, traceparent=TRACE)
    old: Envelope = replace(envelope, type=V1)
    about = {"trust_id": "amber", "project_id": "p-late", "study": study, "attempt": 1}
    payload = json.dumps(about | said).encode()
    headers = author.signed(to_headers(old), payload)
    await voice.producer.send_and_wait(new.topic, payload, key=new.key.encode(), headers=headers)


async def test_an_import_told_in_two_versions_is_tallied_as_one(speaking: Voice) -> None:
    about = {"trust_id": "amber", "project_id": "p-late"}
    one, two = STUDIES
    await speaking.say(ImportPlanned(**about, studies=2))
    await speaking.heard(ImportStarted, project_id="p-late")
    await say_in_v1(speaking, one, state="received", expected=9, present=9)
    await say_in_v1(speaking, two, state="failed", code="no_pixels", final=True)
    # the upgrade happens here
    await speaking.say(StudyAdvanced(**about, study=one, state="converted", attempt=1, arrived=True, present=9))
    finished = await speaking.heard(ImportFinished, project_id="p-late")
    assert finished.tally == Tally(asked=2, received=1, archived=1, converted=1, failed=1, slices_in=9, slices_out=9)
    told = [(step.study, step.state, step.code) for step in speaking.all(ImportProgressed, project_id="p-late")]
    assert told == [(one, "received", None), (two, "failed", "no_pixels"), (one, "converted", None)]
