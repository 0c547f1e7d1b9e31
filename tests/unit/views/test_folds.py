from functools import reduce

import pytest

from client.imports import share_done
from schemas.cohort import (
    CohortFrozen,
    CohortNotFrozen,
    CohortShrunk,
    ConceptsSought,
    QueryCancelled,
    QuerySubmitted,
    QueryTotalled,
    TrustAdvanced,
    TrustConcepts,
    TrustCounted,
)
from schemas.imaging import ImportFinished, ImportProgressed, ImportStarted, Tally
from schemas.project import (
    MemberAdded,
    MemberRemoved,
    ProjectActivated,
    ProjectApproved,
    ProjectCommandAccepted,
    ProjectCreated,
    ProjectDeclined,
    ProjectEdited,
    ProjectStaged,
)
from schemas.training import (
    BundleApproved,
    BundleRefused,
    BundleSubmitted,
    ModelCreated,
    RoundFinished,
    RoundStarted,
    RunFailed,
    RunPlan,
    RunStarted,
    RunStopped,
    TaskMissed,
    TrustLeft,
    TrustReady,
    UpdateAccepted,
)
from schemas.views import fold_import, fold_model, fold_project, fold_query, fold_run, fold_search

DIGEST, OTHER = "a" * 64, "b" * 64
CREATED = ProjectCreated(project_id="p1", name="Prostate", description="", dicom_to_nifti=True, owner="ann")
APPROVED = ProjectApproved(
    project_id="p1",
    trust_id="amber",
    name="Prostate",
    query_id="q1",
    dicom_to_nifti=True,
    approved_by="ada",
    request_digest=DIGEST,
)
STARTED = RunStarted(
    run_id="r1",
    model_id="m1",
    project_id="p1",
    bundle_sha256=DIGEST,
    trusts=("amber", "birch"),
    evaluate_at=(),
    plan=RunPlan(rounds=2, quorum=2),
)


def folded(fold, *events):
    return reduce(fold, events, None)


def test_a_project_is_what_its_events_say():
    staged = ProjectStaged(
        project_id="p1",
        name="Prostate",
        query_id="q1",
        sql_sha256=DIGEST,
        trusts=("amber", "birch"),
        dicom_to_nifti=True,
        requested_by="ann",
        request_digest=DIGEST,
    )
    declined = ProjectDeclined(
        project_id="p1", trust_id="birch", declined_by="bob", reason="No ethics approval.", request_digest=DIGEST
    )
    view = folded(
        fold_project,
        CREATED,
        MemberAdded(project_id="p1", member="bea"),
        MemberAdded(project_id="p1", member="cat"),
        MemberRemoved(project_id="p1", member="bea"),
        ProjectEdited(project_id="p1", name="Prostate MR", description="3 T", dicom_to_nifti=False),
        staged,
        APPROVED,
        ProjectActivated(project_id="p1"),
        CohortFrozen(project_id="p1", query_id="q1", trust_id="amber", digest=DIGEST),
        declined,
        ProjectCommandAccepted(command_id="c1", command_type="x", subject="p1"),
    )
    assert (view.name, view.description, view.dicom_to_nifti) == ("Prostate MR", "3 T", False)
    assert view.members == ("ann", "cat")
    assert (view.status, view.query_id, view.trusts) == ("active", "q1", ("amber", "birch"))
    assert view.decisions["amber"].by == "ada"
    assert view.decisions["birch"].reason == "No ethics approval."
    assert view.frozen == {"amber": "suppressed"}


def test_a_cohort_may_be_told_of_before_its_project():
    frozen = CohortFrozen(project_id="p1", query_id="q1", trust_id="amber", digest=DIGEST, persons=40)
    before = folded(fold_project, frozen, ProjectActivated(project_id="p1"))
    assert (before.status, before.frozen) == ("unknown", {"amber": "40"})
    assert fold_project(before, CREATED) == folded(fold_project, CREATED, frozen)


@pytest.mark.parametrize("fold", [fold_project, fold_query, fold_search, fold_import, fold_model, fold_run])
def test_nothing_comes_of_events_about_something_else(fold):
    assert fold(None, ProjectActivated(project_id="p1")) is None


def test_a_query_keeps_each_trusts_own_answer():
    ids = {"query_id": "q1", "project_id": "p1"}
    view = folded(
        fold_query,
        QuerySubmitted(**ids, sql_sha256=DIGEST, trusts=("amber", "birch")),
        TrustCounted(**ids, trust_id="amber", outcome="counted", persons=40),
        TrustCounted(**ids, trust_id="birch", outcome="suppressed"),
        QueryTotalled(**ids, asked=2, counted=1),
    )
    assert view.answers["amber"].persons == 40
    assert view.answers["birch"].outcome == "suppressed"
    assert view.total.persons is None


def test_a_query_shows_what_was_asked_how_far_each_trust_is_and_who_cancelled_it():
    ids = {"query_id": "q1", "project_id": "p1"}
    asked = QuerySubmitted(
        **ids, sql_sha256=DIGEST, trusts=("amber",), sql="select 1", cohort="knees", version=2, submitted_by="ann"
    )
    halfway = [TrustAdvanced(**ids, trust_id="amber", done=done, parts=3) for done in (0, 1)]
    view = folded(fold_query, asked, *halfway, QueryCancelled(**ids, cancelled_by="bea"))
    assert (view.sql, view.cohort, view.version, view.submitted_by) == ("select 1", "knees", 2, "ann")
    assert (view.progress["amber"].done, view.cancelled_by) == (1, "bea")


def test_a_project_shows_the_text_that_approvers_are_asked_about():
    staged = ProjectStaged(
        project_id="p1",
        name="Prostate",
        query_id="q1",
        sql_sha256=DIGEST,
        trusts=("amber",),
        dicom_to_nifti=True,
        requested_by="ann",
        request_digest=DIGEST,
        sql="select 1",
        criteria="{}",
        cohort="knees",
        version=2,
    )
    view = folded(fold_project, CREATED, staged)
    assert (view.sql, view.criteria, view.cohort, view.version) == ("select 1", "{}", "knees", 2)


def test_a_project_tells_when_its_frozen_cohort_shrinks_and_when_it_is_too_small():
    ids = {"project_id": "p1", "query_id": "q1", "trust_id": "amber", "digest": DIGEST}
    shrunk = folded(
        fold_project, CREATED, CohortFrozen(**ids, persons=40), CohortShrunk(**ids, persons=30, usable=True)
    )
    assert shrunk.frozen == {"amber": "shrunk: 30"}
    assert fold_project(shrunk, CohortShrunk(**ids, usable=False)).frozen["amber"].startswith("too_small")


def test_a_search_keeps_what_each_trusts_vocabulary_told():
    ids = {"search_id": "s1", "project_id": "p1"}
    empty = TrustConcepts(**ids, trust_id="amber", code="empty_vocabulary", reason="It is empty.")
    view = folded(fold_search, ConceptsSought(**ids, trusts=("amber", "birch")), empty)
    assert (view.trusts, view.answers) == (("amber", "birch"), {"amber": empty})


def _progressed(state: str, tally: Tally, code: str | None = None) -> ImportProgressed:
    return ImportProgressed(
        project_id="p1", trust_id="amber", study=f"S{'0' * 16}", state=state, attempt=1, code=code, tally=tally
    )


def test_an_import_is_finished_when_every_trust_that_can_import_has_finished():
    ids = {"project_id": "p1", "trust_id": "amber"}
    running = folded(
        fold_import,
        APPROVED,
        APPROVED.model_copy(update={"trust_id": "birch"}),
        ImportStarted(**ids, studies=1),
        _progressed("failed", Tally(asked=1, failed=1), "not_in_pacs"),
        ImportFinished(**ids, tally=Tally(asked=1, failed=1)),
    )
    assert not running.finished
    assert running.trusts["amber"].studies[f"S{'0' * 16}"].code == "not_in_pacs"
    barred = CohortNotFrozen(project_id="p1", query_id="q1", trust_id="birch", code="too_small", reason="Too few.")
    assert fold_import(running, barred).finished
    retried = fold_import(fold_import(running, barred), _progressed("moving", Tally(asked=1)))
    assert not retried.finished


def test_a_bar_never_goes_back_and_ends_full():
    tallies = [
        Tally(asked=2),
        Tally(asked=2, received=1),
        Tally(asked=2, received=2, archived=1),
        Tally(asked=2, received=2, archived=2, converted=1),
        Tally(asked=2, received=1, archived=1, converted=1, failed=1),
    ]
    views = [fold_import(None, _progressed("moving", tally)) for tally in tallies]
    shares = [share_done(view.trusts["amber"]) for view in views]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_a_models_newest_code_is_the_last_that_was_accepted():
    ids = {"model_id": "m1", "project_id": "p1"}
    created = ModelCreated(**ids, name="Sequence type", owner="ann")
    accepted = BundleSubmitted(**ids, sha256=DIGEST, files=2, entry_point="trainer.py", submitted_by="ann")
    refused = BundleRefused(**ids, sha256=OTHER, code="no_entry_point", reason="Put trainer.py at the top.")
    approved = BundleApproved(**ids, trust_id="amber", sha256=DIGEST, approved_by="ada")
    assert folded(fold_model, created).newest_bundle is None
    view = folded(fold_model, created, accepted, refused, approved)
    assert view.newest_bundle == DIGEST
    assert view.bundles[DIGEST].decisions["amber"].by == "ada"
    assert view.bundles[OTHER].refused == "no_entry_point: Put trainer.py at the top."
    again = folded(fold_model, created, accepted, accepted.model_copy(update={"sha256": OTHER}), accepted)
    assert again.newest_bundle == DIGEST


def test_a_run_shows_its_trusts_rounds_and_what_went_wrong():
    def finished(round_: int) -> RoundFinished:
        return RoundFinished(
            run_id="r1",
            round=round_,
            seconds=1.5,
            participants=("amber",),
            metrics={"accuracy": 0.5},
            sites=(),
            model_digest=DIGEST,
        )

    update = UpdateAccepted(run_id="r1", round=1, trust_id="amber", order=1, examples=4, metrics={}, digest=DIGEST)
    missed = TaskMissed(run_id="r1", round=1, trust_id="birch", kind="train", code="out_of_memory", reason="Killed.")
    view = folded(
        fold_run,
        STARTED,
        TrustReady(run_id="r1", trust_id="amber", images=9, labelled=9, isolation="bubblewrap"),
        RoundStarted(run_id="r1", round=1, trusts=("amber", "birch")),
        update,
        update,
        missed,
        finished(1),
        finished(1),
        TrustLeft(run_id="r1", trust_id="birch", code="no_images", reason="None arrived."),
        RoundStarted(run_id="r1", round=2, trusts=("amber",)),
    )
    assert (view.status, view.round, view.updates) == ("running", 2, ())
    assert [one.round for one in view.rounds] == [1]
    assert view.left == {"birch": "no_images: None arrived."}
    assert view.notes == ("round 1, birch: out_of_memory: Killed.",)


@pytest.mark.parametrize(
    ("end", "status", "failure"),
    [
        (RunFailed(run_id="r1", code="no_quorum", reason="Too few trusts."), "failed", "no_quorum: Too few trusts."),
        (RunStopped(run_id="r1", stopped_by="ann"), "stopped", "stopped by ann"),
    ],
)
def test_a_run_that_did_not_finish_says_why(end, status, failure):
    view = folded(fold_run, STARTED, end)
    assert (view.status, view.failure) == (status, failure)
