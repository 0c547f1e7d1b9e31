"""Whether a run may start."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.errors import Late, Rejection
from schemas.cohort import CohortFrozen
from schemas.imaging import ImportFinished, Tally
from schemas.project import MemberAdded, MemberRemoved, ProjectApproved, ProjectCreated, ProjectStaged
from schemas.training import RunPlan, SiteMetrics
from services.training_coordinator.domain.known import Project, learn
from services.training_coordinator.domain.run import weighted
from services.training_coordinator.domain.start import start
from services.training_coordinator.domain.turn import seed_of
from tests.unit.training_coordinator.scene import BUNDLE, MODEL, PROJECT, SHA, command, started


def refusal(order=None, model=MODEL, project=PROJECT, run=None) -> str:
    with pytest.raises((Rejection, Late)) as refused:
        start(run, order or command(), model, project, {})
    return refused.value.code


def test_trusts_evaluate_where_they_train_unless_asked_otherwise() -> None:
    assert start(None, command(), MODEL, PROJECT, {}).evaluate_at == ("amber", "birch", "cedar")
    alone = command(quorum=1, trusts=("amber",), evaluate_at=("amber", "birch"))
    assert start(None, alone, MODEL, PROJECT, {}).evaluate_at == ("amber", "birch")


def test_a_run_knows_what_it_was_made_of() -> None:
    provenance = start(None, command(quorum=1, trusts=("birch",)), MODEL, PROJECT, {"trustflow": "1"}).provenance
    assert provenance.bundle_approved_by == provenance.project_approved_by == {"birch": "birch-dm"}
    assert provenance.cohort_digests == {"birch": SHA}
    assert (provenance.query_id, provenance.software) == ("q1", {"hub:trustflow": "1"})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"approved_by": {"amber": "x", "birch": "x"}}, "project_not_approved"),
        ({"archived": {"amber": 1, "birch": 1}}, "no_images"),
        ({"archived": {"amber": 1, "birch": 1, "cedar": 0}}, "no_images"),
        ({"members": ("bob",)}, "not_a_member"),
    ],
)
def test_every_trust_must_have_agreed_and_have_images(changes, code) -> None:
    assert refusal(project=PROJECT.model_copy(update=changes)) == code


def test_consent_is_to_this_very_bundle() -> None:
    unapproved = BUNDLE.model_copy(update={"approved_by": {"amber": "x"}})
    assert refusal(model=MODEL.model_copy(update={"bundle": unapproved})) == "bundle_not_approved"
    assert refusal(model=MODEL.model_copy(update={"bundle": None})) == "no_bundle"


def test_consent_is_needed_where_a_model_is_only_evaluated_too() -> None:
    alone = command(quorum=1, trusts=("amber",), evaluate_at=("birch",))
    assert refusal(alone, project=PROJECT.model_copy(update={"approved_by": {"amber": "x"}})) == "project_not_approved"


def test_a_plan_must_be_possible() -> None:
    assert refusal(command(quorum=4)) == "quorum_too_high"
    assert refusal(command(trusts=("amber", "amber"), quorum=2)) == "quorum_too_high"
    assert refusal(command(trusts=())) == "no_trusts"
    assert refusal(model=None) == "unknown_model"
    assert refusal(run=started().run) == "already_exists"


NEWS = (
    ProjectCreated(project_id="p1", name="P", description="", dicom_to_nifti=True, owner="ann"),
    MemberAdded(project_id="p1", member="bob"),
    CohortFrozen(project_id="p1", query_id="q1", trust_id="amber", digest=SHA),
    ImportFinished(project_id="p1", trust_id="amber", tally=Tally(archived=12)),
    ProjectStaged(
        project_id="p1", name="P", query_id="q1", sql_sha256=SHA, trusts=("amber",), dicom_to_nifti=True,
        requested_by="ann", request_digest=SHA,
    ),
    ProjectApproved(
        project_id="p1", trust_id="amber", name="P", query_id="q1", dicom_to_nifti=True, approved_by="dm",
        request_digest=SHA,
    ),
)  # fmt: skip


@given(st.permutations(NEWS))
def test_what_is_known_of_a_project_does_not_depend_on_the_order_of_topics(news) -> None:
    project = Project(project_id="p1")
    for event in news:
        project = learn(project, event)
    assert set(project.members) == {"ann", "bob"}
    assert (project.approved_by, project.archived) == ({"amber": "dm"}, {"amber": 12})
    assert (project.query_id, project.asked, project.cohort_digests) == ("q1", ("amber",), {"amber": SHA})


def test_a_removed_member_is_none_any_longer() -> None:
    assert learn(PROJECT, MemberRemoved(project_id="p1", member="bob")).members == ("ann",)


@given(st.integers(0, 2**31 - 1), st.integers(0, 1000), st.sampled_from(("amber", "birch")))
def test_seeds_are_small_and_depend_on_plan_round_and_trust(seed, round_, trust) -> None:
    found = seed_of(seed, round_, trust)
    assert 0 <= found < 2**31
    assert found == seed_of(seed, round_, trust)
    assert found != seed_of(seed, round_ + 1, trust)
    assert found != seed_of(seed, round_, trust + "x")


def test_a_metric_is_averaged_over_the_sites_that_report_it() -> None:
    sites = (
        SiteMetrics(trust_id="amber", examples=3, metrics={"loss": 1.0, "auc": 0.5}),
        SiteMetrics(trust_id="birch", examples=1, metrics={"loss": 5.0}),
        SiteMetrics(trust_id="cedar", examples=0, metrics={}),
    )
    assert weighted(sites) == {"auc": 0.5, "loss": 2.0}


def test_a_metric_that_is_no_number_is_no_metric() -> None:
    with pytest.raises(ValueError, match="finite"):
        SiteMetrics(trust_id="amber", examples=3, metrics={"loss": float("nan")})


def test_a_plan_has_bounds() -> None:
    with pytest.raises(ValueError, match="rounds"):
        RunPlan(rounds=0, quorum=1)
