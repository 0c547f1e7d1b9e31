"""Training code that cannot be taken, and code that breaks."""

import zipfile
from pathlib import Path

import pytest

from bus.speaker import CommandRejected
from client.sdk import Trustflow
from infra.demo.play import Play
from infra.federation import Federation
from schemas.bundle import BundleLimits, pack
from schemas.topics import all_topics
from schemas.training import RunFailed, RunPlan
from schemas.trust import TaskFailed
from tests.e2e.runs import Stage, everything_said

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PATIENT = "Vesterholm^Ingrid"
BREAKING = b"""\
patient = "^".join(["Vesterholm", "Ingrid"])
raise ValueError(f"the images of {patient} have no pixels")
"""


@pytest.fixture
async def model_id(hub: Trustflow, played: Play) -> str:
    """A model without code."""
    return await hub.create_model(played.story.project_id, "another")


async def test_a_bundle_without_an_entry_point_is_refused(hub: Trustflow, model_id: str, tmp_path: Path) -> None:
    bundle = _zip(tmp_path, {"model.py": b"x = 1\n"})
    assert await _refusal(hub, model_id, bundle) == "no_entry_point"


async def test_a_bundle_whose_path_leaves_the_folder_is_refused(hub: Trustflow, model_id: str, tmp_path: Path) -> None:
    bundle = _zip(tmp_path, {"trainer.py": b"x = 1\n", "../outside.py": b"x = 1\n"})
    assert await _refusal(hub, model_id, bundle) == "bad_path"


async def test_a_bundle_that_is_no_zip_is_refused(hub: Trustflow, model_id: str, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"no zip at all")
    assert await _refusal(hub, model_id, bundle) == "bad_zip"


async def test_a_bundle_over_the_limit_is_refused_before_it_is_uploaded(
    hub: Trustflow, model_id: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.zip"
    with bundle.open("wb") as file:
        file.truncate(BundleLimits().packed + 1)
    assert await _refusal(hub, model_id, bundle) == "too_large"


async def test_code_that_raises_fails_the_run_and_its_words_stay_in_the_trust(
    federation: Federation, hub: Trustflow, model_id: str, tmp_path: Path
) -> None:
    submitted = await hub.upload_bundle(model_id, _zip(tmp_path, {"trainer.py": BREAKING}))
    await hub.acting_as("amber-approver").approve_bundle(model_id, "amber", submitted.sha256)
    stage = Stage(federation, hub, model_id)
    run_id = await stage.start(RunPlan(rounds=1, quorum=1), ["amber"])
    end = (await stage.watch(run_id)).end

    assert isinstance(end, RunFailed)
    assert end.code == "no_first_model"
    assert "amber (code_failed)" in end.reason
    said = await everything_said(federation, [topic.name for topic in all_topics(federation.trusts)])
    of_the_run = [heard.message for heard in said if heard.key == run_id and heard.message]
    assert [message.code for message in of_the_run if isinstance(message, TaskFailed)] == ["code_failed"]
    text = b"\n".join(message.to_bytes() for message in of_the_run)
    assert not [word for word in (PATIENT, "Traceback", "ValueError", "pixels") if word.encode() in text]


async def _refusal(hub: Trustflow, model_id: str, bundle: Path) -> str:
    with pytest.raises(CommandRejected) as refused:
        await hub.upload_bundle(model_id, bundle)
    assert (await hub.model(model_id)).newest_bundle is None
    return refused.value.code


def _zip(folder: Path, files: dict[str, bytes]) -> Path:
    bundle = folder / "bundle.zip"
    bundle.write_bytes(pack(files))
    with zipfile.ZipFile(bundle) as archive:
        assert archive.namelist() == sorted(files)
    return bundle
