"""A made-up query as three trusts answered it: one counts, one hides, one refuses, and a fourth is at work."""

from schemas.cohort import (
    Cell,
    QuerySubmitted,
    QueryTotalled,
    Rule,
    Spent,
    Statistic,
    Step,
    TrustAdvanced,
    TrustCounted,
)
from schemas.message import Message
from schemas.views import QueryView, fold_query

SQL = "SELECT p.person_id\nFROM person p\nJOIN secrets s ON s.person_id = p.person_id"
IDS = {"query_id": "q1", "project_id": "p1"}
TRUSTS = ("amber", "birch", "cedar", "dune")
SPENT = Spent(user_today=3, user_daily=40, project_today=12, project_daily=80, project_ever=30, project_limit=400)
SUBMITTED = QuerySubmitted(
    **IDS,
    sql_sha256="a" * 64,
    trusts=TRUSTS,
    sql=SQL,
    rules=(Rule(name="adults", sql=SQL), Rule(name="with CT", sql=SQL)),
    cohort="prostate",
    version=2,
    submitted_by="ann",
)


def ages(*persons: int | None) -> Statistic:
    bands = (("", "20"), ("20", "40"), ("40", "60"), ("60", ""))
    cells = tuple(Cell(keys=band, persons=count) for band, count in zip(bands, persons, strict=True))
    return Statistic(name="age_band", title="Age", keys=("from", "below"), unit="years", cells=cells)


AMBER = TrustCounted(
    **IDS,
    trust_id="amber",
    outcome="counted",
    persons=340,
    studies=420,
    margin=9,
    spent=SPENT,
    statistics=(ages(40, 100, 150, None),),
    attrition=(
        Step(name="everybody", persons=900),
        Step(name="adults", persons=850),
        Step(name="with CT", persons=340),
    ),
)
BIRCH = TrustCounted(
    **IDS,
    trust_id="birch",
    outcome="suppressed",
    statistics=(
        Statistic(name="age_band", title="Age", keys=("from", "below"), unit="years", missing="Too few in each group."),
    ),
    attrition=(Step(name="everybody", persons=60), Step(name="adults", persons=55), Step(name="with CT")),
)
CEDAR = TrustCounted(
    **IDS, trust_id="cedar", outcome="refused", code="table_not_allowed", reason="No table secrets.", line=3, column=6
)
DUNE = TrustCounted(**IDS, trust_id="dune", outcome="timed_out", code="timed_out", reason="No answer in time.")
TOTAL = QueryTotalled(**IDS, persons=340, studies=420, asked=4, counted=1)
WORKING = TrustAdvanced(**IDS, trust_id="dune", done=1, parts=5)
STORY = (SUBMITTED, AMBER, BIRCH, CEDAR, WORKING, DUNE, TOTAL)


def view_of(*events: Message) -> QueryView:
    view: QueryView | None = None
    for event in events:
        view = fold_query(view, event)
    assert view
    return view


WHOLE = view_of(*STORY)
