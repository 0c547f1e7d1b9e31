"""Events of one project, query, search, model and run: few of each kind, so that drawn ones meet."""

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
from schemas.imaging import (
    AccessSet,
    ConversionSwitched,
    EnrichmentReported,
    ImagesPurged,
    ImportFinished,
    ImportProgressed,
    ImportReconciled,
    ImportStarted,
    Tally,
)
from schemas.message import Message
from schemas.project import (
    ApprovalWithdrawn,
    MemberAdded,
    MemberRemoved,
    ProjectActivated,
    ProjectApproved,
    ProjectClosed,
    ProjectCreated,
    ProjectDeclined,
    ProjectEdited,
    ProjectStaged,
)
from schemas.training import (
    BundleApproved,
    BundleDeclined,
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
    UpdateRejected,
)

TRUSTS = ("amber", "birch")
DIGESTS = ("a" * 64, "b" * 64)
PROJECT = {"project_id": "p1"}
QUERY = {"query_id": "q1", **PROJECT}
SEARCH = {"search_id": "s1", **PROJECT}
MODEL = {"model_id": "m1", **PROJECT}
RUN = {"run_id": "r1"}


def _project(name: str) -> tuple[Message, ...]:
    words = {"name": name, "description": "", "dicom_to_nifti": True}
    return ProjectCreated(**PROJECT, **words, owner="ann"), ProjectEdited(**PROJECT, **words)


def _decided(trust: str) -> tuple[Message, ...]:
    asked = {**PROJECT, "trust_id": trust, "request_digest": DIGESTS[0]}
    return (
        ProjectApproved(**asked, name="n", query_id="q1", dicom_to_nifti=True, approved_by="ada"),
        ProjectDeclined(**asked, declined_by="bob", reason="No."),
        ApprovalWithdrawn(**PROJECT, trust_id=trust, withdrawn_by="bob", reason="Enough."),
    )


def _cohort(trust: str) -> tuple[Message, ...]:
    ids = {**QUERY, "trust_id": trust}
    return (
        TrustCounted(**ids, outcome="counted", persons=40),
        TrustCounted(**ids, outcome="suppressed"),
        CohortFrozen(**ids, digest=DIGESTS[0], persons=40),
        CohortNotFrozen(**ids, code="too_small", reason="Too few."),
        *(CohortShrunk(**ids, digest=DIGESTS[0], persons=persons, usable=bool(persons)) for persons in (30, None)),
        *(TrustAdvanced(**ids, done=done, parts=2, waiting=not done) for done in (0, 1)),
        TrustConcepts(**SEARCH, trust_id=trust, vocabulary_version="v5.0"),
        TrustConcepts(**SEARCH, trust_id=trust, code="empty_vocabulary", reason="No vocabulary is loaded."),
    )


def _import(trust: str) -> tuple[Message, ...]:
    ids = {**PROJECT, "trust_id": trust}
    tally = Tally(asked=2, received=1)
    steps = [("S" + "0" * 16, "moving", None), ("S" + "1" * 16, "moving", None), ("S" + "0" * 16, "failed", "lost")]
    return (
        ImportStarted(**ids, studies=2),
        *(
            ImportProgressed(**ids, study=study, state=state, attempt=1, code=code, tally=tally)
            for study, state, code in steps
        ),
        ImportProgressed(
            **ids, study="S" + "1" * 16, state="archived", attempt=1, tally=tally, rest="held", held={"leak": 2}
        ),
        ImportFinished(**ids, tally=tally),
        ImportReconciled(**ids, studies=2, agreed=1, differences={"archive_lacks": 1}, repaired=1),
        *(ConversionSwitched(**ids, on=on, waiting=1) for on in (True, False)),
        AccessSet(**ids, added=1, removed=0, without_address=1),
        EnrichmentReported(**ids, images=9, labelled=3, masked=2, rejected={"wrong_geometry": 1}),
        ImagesPurged(**ids, studies=2, images=9, retained=0, digest=DIGESTS[0]),
    )


def _bundle(sha256: str) -> tuple[Message, ...]:
    ids = {**MODEL, "sha256": sha256}
    return (
        BundleSubmitted(**ids, files=2, entry_point="trainer.py", submitted_by="ann"),
        BundleRefused(**ids, code="no_entry_point", reason="Put trainer.py at the top."),
        BundleApproved(**ids, trust_id="amber", approved_by="ada"),
        BundleDeclined(**ids, trust_id="birch", declined_by="bob", reason="It reads more than it needs."),
    )


def _round(number: int) -> tuple[Message, ...]:
    ids = {**RUN, "round": number}
    said = {"seconds": 1.5, "metrics": {"accuracy": 0.5}, "sites": (), "model_digest": DIGESTS[0]}
    return (
        RoundStarted(**ids, trusts=TRUSTS),
        UpdateAccepted(**ids, trust_id="amber", order=1, examples=4, metrics={}, digest=DIGESTS[0]),
        UpdateRejected(**ids, trust_id="birch", code="wrong_digest", reason="Sent again."),
        TaskMissed(**ids, trust_id="birch", kind="train", code="out_of_memory", reason="Killed."),
        RoundFinished(**ids, **said, participants=TRUSTS),
    )


STARTED = RunStarted(
    **RUN, **MODEL, bundle_sha256=DIGESTS[0], trusts=TRUSTS, evaluate_at=(), plan=RunPlan(rounds=2, quorum=2)
)
STAGED = ProjectStaged(
    **PROJECT,
    name="n",
    query_id="q1",
    sql_sha256=DIGESTS[0],
    trusts=TRUSTS,
    dicom_to_nifti=True,
    requested_by="ann",
    request_digest=DIGESTS[0],
)
EVENTS: tuple[Message, ...] = (
    *_project("one"),
    *_project("two"),
    *(kind(**PROJECT, member=member) for kind in (MemberAdded, MemberRemoved) for member in ("bea", "cat")),
    STAGED,
    ProjectActivated(**PROJECT),
    ProjectClosed(**PROJECT, closed_by="ann"),
    QuerySubmitted(**QUERY, sql_sha256=DIGESTS[0], trusts=TRUSTS),
    QuerySubmitted(**QUERY, sql_sha256=DIGESTS[1], trusts=TRUSTS, sql="select 2", cohort="knees", version=2),
    QueryCancelled(**QUERY, cancelled_by="ann"),
    ConceptsSought(**SEARCH, trusts=TRUSTS),
    QueryTotalled(**QUERY, persons=40, asked=2, counted=1),
    ModelCreated(**MODEL, name="Sequence type", owner="ann"),
    STARTED,
    TrustReady(**RUN, trust_id="amber", images=9, labelled=9, isolation="bubblewrap"),
    TrustLeft(**RUN, trust_id="birch", code="no_images", reason="None arrived."),
    RunFailed(**RUN, code="no_quorum", reason="Too few."),
    RunStopped(**RUN, stopped_by="ann"),
    *(event for trust in TRUSTS for made in (_decided, _cohort, _import) for event in made(trust)),
    *(event for sha256 in DIGESTS for event in _bundle(sha256)),
    *(event for number in (0, 1) for event in _round(number)),
)


def story(number: int) -> list[Message]:
    """The same events of another project, query, search, model and run."""
    return [event.model_copy(update={name: f"{id_}-{number}" for name, id_ in _ids(event)}) for event in EVENTS]


def _ids(event: Message) -> list[tuple[str, str]]:
    named = ("project_id", "query_id", "search_id", "model_id", "run_id")
    return [(name, id_) for name in named if (id_ := getattr(event, name, None))]
