"""Coordinator and aggregator as processes, on a real broker and object lane; only the hospitals are played."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from safetensors.torch import load

from bus.objects import ObjectLane
from bus.uow import new_id
from schemas.aggregation import UpdateVerified
from schemas.bundle import pack
from schemas.cohort import CohortFrozen
from schemas.imaging import ImportFinished, Tally
from schemas.message import Accepted, Answer, Message
from schemas.project import ProjectApproved, ProjectCreated, ProjectStaged
from schemas.training import (
    ApproveBundle,
    BundleApproved,
    BundleGranted,
    BundleRefused,
    BundleSubmitted,
    CreateModel,
    GetModel,
    ModelGranted,
    OfferBundle,
    RoundClosed,
    RoundFinished,
    RunFailed,
    RunFinished,
    RunPlan,
    RunStopped,
    StartRun,
    StopRun,
    SubmitBundle,
    TrainingCommandAccepted,
    TrainingCommandRejected,
    UpdateAccepted,
    UpdateRejected,
)
from schemas.trust import EndRun, GrantExpired, RunTask, TrustAnnounced
from tests.conftest import TRUSTS
from tests.integration.fake_trust import FakeTrust
from tests.integration.hub import Service, Voice, service, voice

pytestmark = pytest.mark.integration

DIGEST = "0" * 64
BUNDLE = {"trainer.py": b"from trustflow_sdk import federation\n"}


@dataclass(slots=True)
class Play:
    """Everything a scene needs."""

    voice: Voice
    lane: ObjectLane
    trusts: dict[str, FakeTrust]
    coordinator: Service
    aggregator: Service
    ids: dict[str, str] = field(default_factory=dict)

    def on_message(self, message: Message) -> None:
        for trust in self.trusts.values():
            trust.on_message(message)


@pytest_asyncio.fixture(scope="module")
async def play(kafka, postgres, nginx, tmp_path_factory) -> AsyncIterator[Play]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("training")
    parts = {"kafka": kafka, "nginx": nginx, "folder": folder}
    with (
        service("training_coordinator", database=postgres.fresh_database("coordinator"), **parts) as coordinator,
        service("aggregator", database=postgres.fresh_database("aggregator"), **parts) as aggregator,
    ):
        async with ObjectLane() as lane, voice(kafka) as speaking:
            scene = Play(speaking, lane, {}, coordinator, aggregator)
            speaking.listeners.append(scene.on_message)
            await approved_model(scene)
            yield scene


async def ask(play: Play, command: Message) -> None:
    await play.voice.say(command)
    await play.voice.heard(TrainingCommandAccepted, command_type=command.type, subject=command.key)


async def approved_model(play: Play) -> None:
    """A project that both trusts approved, with images; a model with code that both approved."""
    play.ids = {"project": new_id()}
    await announce(play)
    play.ids["model"] = await created_model(play)
    sha256 = await uploaded(play, pack(BUNDLE))
    await play.voice.heard(BundleSubmitted, sha256=sha256)
    for trust in TRUSTS:
        await play.voice.say(
            ApproveBundle(actor=f"{trust}-dm", model_id=play.ids["model"], trust_id=trust, sha256=sha256)
        )
        await play.voice.heard(BundleApproved, trust_id=trust)


async def created_model(play: Play) -> str:
    """Ask until the service has read the project's events: at its start they may come after the command."""
    while True:
        model_id = new_id()
        await play.voice.say(CreateModel(actor="ann", model_id=model_id, project_id=play.ids["project"], name="M"))
        if isinstance(await play.voice.heard(Answer, subject=model_id), Accepted):
            return model_id


async def announce(play: Play) -> None:
    project = play.ids["project"]
    about = {"project_id": project, "name": "P", "query_id": "q1", "dicom_to_nifti": True}
    asked = {"sql_sha256": DIGEST, "trusts": TRUSTS, "requested_by": "ann", "request_digest": DIGEST}
    await play.voice.say(
        ProjectCreated(project_id=project, name="P", description="", dicom_to_nifti=True, owner="ann"),
        ProjectStaged(**about, **asked),
    )
    for trust in TRUSTS:
        frozen = {"project_id": project, "query_id": "q1", "trust_id": trust, "digest": DIGEST}
        tally = Tally(asked=16, archived=12)
        await play.voice.say(
            TrustAnnounced(
                trust_id=trust,
                approvers=(f"{trust}-dm",),
                small_number_threshold=10,
                isolation="bubblewrap",
                software={},
            ),
            ProjectApproved(**about, trust_id=trust, approved_by=f"{trust}-dm", request_digest=DIGEST),
            CohortFrozen(**frozen),
            ImportFinished(project_id=project, trust_id=trust, tally=tally),
        )


async def uploaded(play: Play, content: bytes, claimed: str | None = None) -> str:
    sha256 = claimed or hashlib.sha256(content).hexdigest()
    about = {"actor": "ann", "model_id": play.ids["model"], "sha256": sha256}
    await play.voice.say(OfferBundle(**about, size=len(content)))
    granted = await play.voice.heard(BundleGranted, sha256=sha256)
    manifest = await play.lane.upload(memoryview(content), granted.upload)
    await play.voice.say(SubmitBundle(**about, manifest=manifest))
    return sha256


async def started(play: Play, rounds: int = 3, quorum: int = 2, deadline_s: float = 600) -> str:
    play.trusts = {trust: FakeTrust(trust, play.voice, play.lane) for trust in TRUSTS}
    return await start(play, rounds, quorum, deadline_s)


async def start(play: Play, rounds: int = 3, quorum: int = 2, deadline_s: float = 600) -> str:
    run_id = new_id()
    plan = RunPlan(rounds=rounds, quorum=quorum, round_deadline_s=deadline_s)
    await play.voice.say(StartRun(actor="ann", run_id=run_id, model_id=play.ids["model"], trusts=TRUSTS, plan=plan))
    return run_id


async def final_weights(play: Play, finished: RunFinished) -> dict[str, float]:
    grant = finished.model
    content = b"".join([part async for part in play.lane.parts_of(grant.manifest, grant.urls)])
    return {name: float(values.mean()) for name, values in load(content).items()}


async def test_a_run_of_two_trusts_averages_their_updates_round_by_round(play) -> None:
    run_id = await started(play, rounds=5)
    finished = await play.voice.heard(RunFinished, run_id=run_id)
    assert await final_weights(play, finished) == {"bias": 10.0, "weight": 10.0}
    assert finished.metrics == {"accuracy": 0.5}
    assert finished.provenance.images == {"amber": 12, "birch": 12}
    assert finished.provenance.bundle_approved_by == {"amber": "amber-dm", "birch": "birch-dm"}
    assert finished.provenance.software["amber:torch"] == "2"
    assert [event.round for event in play.voice.all(RoundFinished, run_id=run_id)] == [0, 1, 2, 3, 4, 5]
    assert {(await play.voice.heard(EndRun, run_id=run_id, trust_id=trust)).trust_id for trust in TRUSTS} == {*TRUSTS}


async def test_examples_weigh_the_updates(play) -> None:
    play.trusts = {
        "amber": FakeTrust("amber", play.voice, play.lane, examples=30),
        "birch": FakeTrust("birch", play.voice, play.lane, examples=10),
    }
    run_id = await start(play, rounds=1)
    finished = await play.voice.heard(RunFinished, run_id=run_id)
    assert await final_weights(play, finished) == {"bias": 1.5, "weight": 1.5}


async def test_a_silent_trust_does_not_hang_the_run(play) -> None:
    amber = FakeTrust("amber", play.voice, play.lane)
    birch = FakeTrust("birch", play.voice, play.lane, answers=lambda task: task.round != 1)
    play.trusts = {"amber": amber, "birch": birch}
    run_id = await start(play, rounds=2, quorum=1, deadline_s=1.0)
    await play.voice.heard(RunFinished, run_id=run_id)
    assert (await play.voice.heard(RoundClosed, run_id=run_id, round=1)).missing == ("birch",)
    assert (await play.voice.heard(RoundClosed, run_id=run_id, round=2)).missing == ()


async def test_too_few_updates_fail_the_run_and_name_who_was_missing(play) -> None:
    amber = FakeTrust("amber", play.voice, play.lane)
    birch = FakeTrust("birch", play.voice, play.lane, answers=lambda _: False)
    play.trusts = {"amber": amber, "birch": birch}
    run_id = await start(play, rounds=2, quorum=2, deadline_s=0.8)
    failed = await play.voice.heard(RunFailed, run_id=run_id)
    assert failed.code == "quorum_not_reached"
    assert "birch (no answer)" in failed.reason


async def test_an_expired_grant_brings_the_same_task_with_other_addresses(play) -> None:
    trust = FakeTrust("birch", play.voice, play.lane, answers=lambda _: bool(expired))
    expired: list[GrantExpired] = []
    play.trusts = {"amber": FakeTrust("amber", play.voice, play.lane), "birch": trust}
    run_id = await start(play, rounds=1)
    first = await play.voice.heard(RunTask, run_id=run_id, trust_id="birch", kind="train")
    expired.append(GrantExpired(trust_id="birch", run_id=run_id, round=1, kind="train"))
    await play.voice.say(*expired)
    again = await play.voice.heard(RunTask, run_id=run_id, trust_id="birch", kind="train", nth=2)
    assert (again.seed, again.upload.prefix) == (first.seed, first.upload.prefix)
    await play.voice.heard(RunFinished, run_id=run_id)


async def test_a_node_that_died_in_an_upload_gets_another_place_for_the_next(play) -> None:
    amber = FakeTrust("amber", play.voice, play.lane)
    birch = FakeTrust("birch", play.voice, play.lane, dies=lambda task: task.upload.prefix.endswith("/1/birch"))
    play.trusts = {"amber": amber, "birch": birch}
    run_id = await start(play, rounds=2)
    finished = await play.voice.heard(RunFinished, run_id=run_id)
    assert (await play.voice.heard(UpdateRejected, run_id=run_id)).code == "wrong_digest"
    assert await final_weights(play, finished) == {"bias": 4.0, "weight": 4.0}


@pytest.mark.parametrize("victim", ["coordinator", "aggregator"])
async def test_a_service_killed_in_the_middle_changes_nothing_of_the_result(play, victim) -> None:
    undisturbed = await play.voice.heard(RunFinished, run_id=await started(play, rounds=6))
    run_id = await started(play, rounds=6)
    await play.voice.heard(RoundFinished, run_id=run_id, round=2)
    killed: Service = getattr(play, victim)
    killed.kill()
    killed.start()
    finished = await play.voice.heard(RunFinished, run_id=run_id)
    assert finished.model.manifest.sha256 == undisturbed.model.manifest.sha256
    accepted = [(event.round, event.trust_id) for event in play.voice.all(UpdateAccepted, run_id=run_id)]
    assert len(accepted) == len(set(accepted)) == 13


async def test_a_stopped_run_ends_at_every_trust(play) -> None:
    play.trusts = {
        trust: FakeTrust(trust, play.voice, play.lane, answers=lambda task: task.round == 0) for trust in TRUSTS
    }
    run_id = await start(play)
    await play.voice.heard(RunTask, run_id=run_id, kind="train")
    await play.voice.say(StopRun(actor="ann", run_id=run_id))
    assert (await play.voice.heard(RunStopped, run_id=run_id)).stopped_by == "ann"
    await play.voice.heard(EndRun, run_id=run_id, trust_id="birch")


async def test_the_model_of_a_finished_run_can_be_asked_for_again(play) -> None:
    run_id = await started(play, rounds=1)
    finished = await play.voice.heard(RunFinished, run_id=run_id)
    await ask(play, GetModel(actor="ann", run_id=run_id))
    granted = await play.voice.heard(ModelGranted, run_id=run_id)
    assert granted.model.manifest == finished.model.manifest


async def test_an_update_of_another_round_is_rejected_and_stops_nothing(play) -> None:
    run_id = await started(play, rounds=4)
    accepted = await play.voice.heard(UpdateVerified, run_id=run_id, round=1, trust_id="amber")
    await play.voice.heard(RoundClosed, run_id=run_id, round=1)
    await play.voice.say(accepted)
    rejected = await play.voice.heard(UpdateRejected, run_id=run_id)
    assert (rejected.trust_id, rejected.code) == ("amber", "too_late")
    finished = await play.voice.heard(RunFinished, run_id=run_id)
    assert await final_weights(play, finished) == {"bias": 8.0, "weight": 8.0}


async def test_a_run_at_a_trust_that_never_agreed_is_rejected(play) -> None:
    run_id = new_id()
    await play.voice.say(
        StartRun(
            actor="ann",
            run_id=run_id,
            model_id=play.ids["model"],
            trusts=(*TRUSTS, "cedar"),
            plan=RunPlan(rounds=1, quorum=1),
        )
    )
    assert (await play.voice.heard(TrainingCommandRejected, subject=run_id)).code == "project_not_approved"


async def test_a_bundle_that_cannot_run_is_refused_with_its_place(play) -> None:
    content = pack({"trainer.py": b"import requests\n"})
    sha256 = await uploaded(play, content)
    refused = await play.voice.heard(BundleRefused, sha256=sha256)
    assert refused.code == "network"
    assert "trainer.py:1" in refused.reason


async def test_a_bundle_of_another_digest_is_refused(play) -> None:
    sha256 = await uploaded(play, pack(BUNDLE), claimed="f" * 64)
    assert (await play.voice.heard(BundleRefused, sha256=sha256)).code == "wrong_digest"


async def test_both_services_stop_when_asked(play) -> None:
    assert "shut down gracefully" in play.coordinator.stop()
    assert "shut down gracefully" in play.aggregator.stop()
