"""Who may bring code, and who may let it run."""

import pytest

from bus.errors import Late, Rejection
from schemas.bundle import BundleReport, Finding
from schemas.training import ApproveBundle, CreateModel, DeclineBundle, OfferBundle, SubmitBundle
from services.training_coordinator.domain import models
from services.training_coordinator.domain.models import Model, evolve
from tests.unit.training_coordinator.scene import BUNDLE, MODEL, PROJECT, SHA, TRUST, manifest

FRESH = MODEL.model_copy(update={"bundle": BUNDLE.model_copy(update={"approved_by": {}})})


def refusal(call, *arguments) -> str:
    with pytest.raises((Rejection, Late)) as refused:
        call(*arguments)
    return refused.value.code


def create(actor: str = "ann") -> CreateModel:
    return CreateModel(actor=actor, model_id="m1", project_id="p1", name="M")


def approve(actor: str = "amber-dm", trust: str = "amber", sha256: str = SHA) -> ApproveBundle:
    return ApproveBundle(actor=actor, model_id="m1", trust_id=trust, sha256=sha256)


def submit(**changes: object) -> SubmitBundle:
    return SubmitBundle(**{"actor": "ann", "model_id": "m1", "sha256": SHA, "manifest": BUNDLE.manifest, **changes})


def test_a_member_creates_a_model() -> None:
    created = models.create(None, create(), PROJECT)
    assert evolve(None, created) == Model(model_id="m1", project_id="p1", name="M", owner="ann")


def test_nobody_else_does() -> None:
    assert refusal(models.create, None, create("eve"), PROJECT) == "not_a_member"
    assert refusal(models.create, MODEL, create(), PROJECT) == "already_exists"
    assert refusal(models.create, None, create(), None) == "unknown_project"
    assert refusal(models.known, None, PROJECT) == "unknown_model"


def test_an_offer_must_be_of_a_member_and_small_enough() -> None:
    offer = OfferBundle(actor="ann", model_id="m1", sha256=SHA, size=11)
    assert refusal(models.check_offer, PROJECT, offer, 10) == "too_large"
    assert refusal(models.check_offer, PROJECT, offer.model_copy(update={"actor": "eve"}), 10**6) == "not_a_member"


def test_a_submission_must_be_of_the_granted_upload() -> None:
    models.check_submission(PROJECT, submit(), 10**6)
    elsewhere = submit(manifest=manifest("bundles/m2/x"))
    assert refusal(models.check_submission, PROJECT, elsewhere, 10**6) == "wrong_prefix"
    assert refusal(models.check_submission, PROJECT, submit(), 10) == "too_large"


def test_a_bundle_that_was_read_is_submitted_with_its_manifest() -> None:
    event = models.judge(models.scan(MODEL, submit()), BundleReport(SHA, "trainer.py", ("trainer.py",), ()))
    assert evolve(Model(**MODEL.model_dump(exclude={"bundle"})), event).bundle == FRESH.bundle


def test_findings_refuse_a_bundle_and_name_the_line() -> None:
    finding = Finding("trainer.py", 3, "network", "bring it")
    event = models.judge(models.scan(MODEL, submit()), BundleReport(SHA, "trainer.py", ("trainer.py",), (finding,)))
    assert (event.code, event.reason) == ("network", "trainer.py:3: network: bring it")
    assert evolve(MODEL, event) == MODEL


def test_another_bundle_starts_without_approvals_and_the_same_one_keeps_them() -> None:
    report = BundleReport(SHA, "trainer.py", ("trainer.py",), ())
    assert evolve(MODEL, models.judge(models.scan(MODEL, submit()), report)) == MODEL
    other = submit(sha256="cd" * 32, manifest=manifest("bundles/m1/" + "cd" * 32))
    assert evolve(MODEL, models.judge(models.scan(MODEL, other), report)).bundle.approved_by == {}


def test_an_approver_decides_once() -> None:
    event = models.decide(FRESH, approve(), PROJECT, TRUST)
    assert evolve(FRESH, event).bundle.approved_by == {"amber": "amber-dm"}
    assert refusal(models.decide, MODEL, approve(), PROJECT, TRUST) == "already_decided"


def test_a_decline_keeps_its_reason_and_gives_no_leave() -> None:
    decline = DeclineBundle(actor="amber-dm", model_id="m1", trust_id="amber", sha256=SHA, reason="too broad")
    event = models.decide(FRESH, decline, PROJECT, TRUST)
    assert event.reason == "too broad"
    assert evolve(FRESH, event).bundle.declined_by == {"amber": "amber-dm"}
    assert evolve(FRESH, event).bundle.approved_by == {}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (approve(actor="ann"), "own_request"),
        (approve(actor="bob"), "own_request"),
        (approve(actor="eve"), "not_an_approver"),
        (approve(trust="dogwood"), "trust_not_asked"),
        (approve(sha256="cd" * 32), "unknown_bundle"),
    ],
)
def test_nobody_else_decides(command, code) -> None:
    assert refusal(models.decide, FRESH, command, PROJECT, TRUST) == code


def test_a_trust_that_never_announced_itself_has_no_approvers() -> None:
    assert refusal(models.decide, FRESH, approve(), PROJECT, None) == "not_an_approver"
