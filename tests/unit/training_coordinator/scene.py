"""A project, a model and a run to decide upon."""

import hashlib
from datetime import UTC, datetime, timedelta

from bus.objects import NginxObjects
from schemas.aggregation import ModelAggregated, UpdateVerified
from schemas.manifest import Manifest, Part, TensorSpec, layout, manifest_of
from schemas.training import RunPlan, StartRun
from schemas.trust import ModelEvaluated, RunPrepared
from services.training_coordinator.domain.known import Project, Trust
from services.training_coordinator.domain.models import Bundle, Model, bundle_prefix
from services.training_coordinator.domain.start import start
from services.training_coordinator.domain.turn import Turn, opening
from services.training_coordinator.grants import Grants

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRANTS = Grants(NginxObjects("http://objects", "secret"), timedelta(hours=1), max_first_model=10**6)
SHA = "ab" * 32
TRUSTS = ("amber", "birch", "cedar")
TENSORS = (TensorSpec(name="w", dtype="F32", shape=(2,)),)


def manifest(prefix: str, content: str = "") -> Manifest:
    digest = hashlib.sha256(f"{prefix}{content}".encode()).hexdigest()
    size = layout(TENSORS).size
    return manifest_of(prefix, [Part(index=0, size=size, sha256=digest)], TENSORS)


BUNDLE = Bundle(
    sha256=SHA,
    manifest=manifest(bundle_prefix("m1", SHA)),
    approved_by={trust: f"{trust}-dm" for trust in TRUSTS},
)
MODEL = Model(model_id="m1", project_id="p1", name="M", owner="ann", bundle=BUNDLE)
PROJECT = Project(
    project_id="p1",
    members=("ann", "bob"),
    asked=TRUSTS,
    query_id="q1",
    sql_sha256=SHA,
    request_digest=SHA,
    approved_by={trust: f"{trust}-dm" for trust in TRUSTS},
    cohort_digests=dict.fromkeys(TRUSTS, SHA),
    archived=dict.fromkeys(TRUSTS, 12),
)
TRUST = Trust(trust_id="amber", approvers=("amber-dm", "ann"))


def command(rounds: int = 2, quorum: int = 2, trusts: tuple[str, ...] = TRUSTS, **changes: object) -> StartRun:
    about = {"actor": "ann", "run_id": "r1", "model_id": "m1", "trusts": trusts}
    return StartRun(**{**about, "plan": RunPlan(rounds=rounds, quorum=quorum), **changes})


def started(rounds: int = 2, quorum: int = 2, trusts: tuple[str, ...] = TRUSTS) -> Turn:
    event = start(None, command(rounds, quorum, trusts), MODEL, PROJECT, {"trustflow": "1"})
    return opening(event, BUNDLE.manifest, NOW, GRANTS)


def prepared(trust: str, labelled: int = 12) -> RunPrepared:
    return RunPrepared(
        trust_id=trust, run_id="r1", images=12, labelled=labelled, isolation="bubblewrap", software={"torch": "2"}
    )


def verified(trust: str, round_: int, examples: int = 10, loss: float = 1.0) -> UpdateVerified:
    return UpdateVerified(
        run_id="r1",
        round=round_,
        trust_id=trust,
        examples=examples,
        metrics={"loss": loss},
        manifest=manifest(f"runs/r1/{round_}/{trust}"),
    )


def aggregated(round_: int, folded: tuple[str, ...] = ()) -> ModelAggregated:
    return ModelAggregated(
        run_id="r1", round=round_, manifest=manifest(f"runs/r1/{round_}/global"), folded=folded, seconds=0.1
    )


def evaluated(trust: str, round_: int, examples: int = 10, accuracy: float = 0.5) -> ModelEvaluated:
    return ModelEvaluated(trust_id=trust, run_id="r1", round=round_, examples=examples, metrics={"accuracy": accuracy})
