"""`trustflow cohort`, against a hub that answers as the test says."""

import asyncio
import json
import os
import signal

import pytest

from bus.speaker import CommandRejected
from schemas.cohort import (
    CancelQuery,
    Concept,
    ConceptsSought,
    QuerySubmitted,
    QueryTotalled,
    RepeatQuery,
    SearchConcepts,
    SubmitCriteria,
    SubmitQuery,
    TrustConcepts,
)
from tests.unit.client.cohorts import AMBER, IDS, STORY, SUBMITTED, WHOLE

GOOD = "SELECT person_id FROM person"
ASK = ("cohort", "query", "p1", "--trust", "amber", "--trust", "birch", "--as", "ann")
SOUGHT = {"search_id": "s1", "project_id": "p1"}
DIABETES = Concept(
    concept_id=201826,
    name="Type 2 diabetes mellitus",
    code="44054006",
    domain="Condition",
    vocabulary="SNOMED",
    standard=True,
    matched="Maturity onset diabetes",
    parents=(201820,),
    children=(1, 2, 3),
    descendants=1_234,
)


@pytest.fixture
def told(voice, monkeypatch):
    monkeypatch.setattr("client.cohort.asking.new_id", lambda: "q1")
    monkeypatch.setattr("client.concept_hub.new_id", lambda: "s1")
    voice.said = list(STORY)
    return voice


def lines(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_query_says_what_it_is_a_version_of_and_what_to_tell_with_it(trustflow, told, tmp_path):
    (tmp_path / "adults.sql").write_text(GOOD)
    result = trustflow(
        *ASK, "--sql", GOOD, "--cohort", "prostate", "--statistics", "sex", "--statistics", "age_band",
        "--rule", f"adults=@{tmp_path}/adults.sql", "--rule", f"born = {GOOD} WHERE year_of_birth = 1970",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (asked,) = told.asked
    assert isinstance(asked, SubmitQuery)
    assert (asked.query_id, asked.cohort, asked.statistics) == ("q1", "prostate", ("sex", "age_band"))
    assert [(rule.name, rule.sql) for rule in asked.rules] == [
        ("adults", GOOD),
        ("born", f" {GOOD} WHERE year_of_birth = 1970"),
    ]


def test_the_answer_has_figures_tables_the_budget_and_the_data_managers_id(trustflow, told):
    shown = trustflow(*ASK, "--sql", GOOD).stdout
    for words in ("3 of 4 trusts answered", "Age (age_band)", "Spent at amber", "query q1, correlation e0", "too few"):
        assert words in shown


def test_a_text_that_every_trust_would_refuse_is_not_sent(trustflow, told):
    result = trustflow(*ASK, "--sql", "SELECT person_id\nFROM secrets")
    assert result.exit_code == 3
    assert result.stderr.startswith("rejected: table_not_allowed: ")
    assert result.stderr.splitlines()[1:] == ["2 | FROM secrets", "  |      ^"]
    assert told.asked == []
    assert trustflow(*ASK, "--sql", "SELECT person_id\nFROM secrets", "--no-check").exit_code == 0
    assert len(told.asked) == 1


def test_a_rule_is_judged_as_the_query_is(trustflow, told):
    result = trustflow(*ASK, "--sql", GOOD, "--rule", "odd=SELECT * FROM person")
    assert result.exit_code == 3
    assert 'rejected: star_not_allowed: Rule "odd": ' in result.stderr
    assert told.asked == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "either --sql or --criteria"),
        (("--sql", GOOD, "--criteria", "x.json"), "either --sql or --criteria"),
        (("--sql", GOOD, "--attrition"), "--rule NAME=@FILE"),
        (("--sql", GOOD, "--images"), "selects accession_id"),
        (("--criteria", "x.json", "--rule", "a=b"), "--attrition"),
        (("--sql", GOOD, "--rule", "nameless"), "NAME=@FILE"),
        (("--criteria", "nowhere.json"), "nowhere.json cannot be read"),
    ],
)
def test_what_does_not_fit_together_is_wrong_usage(trustflow, told, options, sentence):
    result = trustflow(*ASK, *options)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert told.asked == []


def test_a_repeat_asks_the_same_query_under_a_new_id(trustflow, told):
    told.said = [
        SUBMITTED.model_copy(update={"query_id": "q0"}),
        SUBMITTED.model_copy(update={"repeats": "q0"}),
        AMBER,
        QueryTotalled(**IDS, persons=340, asked=4, counted=1),
    ]
    shown = trustflow("cohort", "repeat", "q0", "--trust", "amber", "--as", "ann").stdout
    (asked,) = told.asked
    assert asked == RepeatQuery(actor="ann", query_id="q1", project_id="p1", repeats="q0", trusts=("amber",))
    assert "again after q0" in shown
    assert "cohort diff q0 q1" in shown


def test_a_query_is_cancelled(trustflow, told):
    assert lines(trustflow("cohort", "cancel", "q1", "--as", "ann", "--json")) == [{"query_id": "q1"}]
    assert told.asked == [CancelQuery(actor="ann", query_id="q1")]


def test_ctrl_c_cancels_the_query_and_says_so(trustflow, told, monkeypatch):
    begun = told.events

    async def stuck(topics=(), **places):
        async for heard in begun(topics, **places):
            yield heard
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    monkeypatch.setattr(told, "events", stuck)
    result = trustflow(*ASK, "--sql", GOOD)
    assert result.exit_code == 130
    assert told.asked[1:] == [CancelQuery(actor="ann", query_id="q1")]
    assert "Query q1 is cancelled" in result.stderr


def test_ctrl_c_after_the_hub_had_refused_says_why_it_could_not_cancel(trustflow, told, monkeypatch):
    begun = told.events

    async def stuck(topics=(), **places):
        async for _ in begun(topics, **places):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
            yield _

    def refuse(command):
        if isinstance(command, CancelQuery):
            raise CommandRejected("query_closed", "Every trust has answered.")

    monkeypatch.setattr(told, "events", stuck)
    told.answer = refuse
    result = trustflow(*ASK, "--sql", GOOD)
    assert result.exit_code == 3
    assert "query_closed" in result.stderr


def test_a_query_is_shown_as_it_was_told_and_as_json(trustflow, told):
    assert "Cohort prostate, version 2, asked by ann" in trustflow("cohort", "show", "q1").stdout
    (line,) = lines(trustflow("cohort", "show", "q1", "--json"))
    assert line["answers"]["amber"]["persons"] == 340
    assert "persons" not in line["answers"]["birch"]


def test_the_cohorts_of_a_project_are_listed_by_version(trustflow, told):
    other = QuerySubmitted(query_id="q9", project_id="p2", sql_sha256="a" * 64, trusts=("amber",))
    again = SUBMITTED.model_copy(update={"query_id": "q2", "repeats": "q1"})
    told.said += [other, again]
    assert [line["query_id"] for line in lines(trustflow("cohort", "list", "p1", "--json"))] == ["q1", "q2"]
    rows = trustflow("cohort", "list", "p1").stdout.splitlines()
    assert any(re_row(row) == ["prostate", "2", "q1", "ann", "4 of 4", "about 340 (± 9)"] for row in rows)
    assert any(re_row(row) == ["", "again", "q2", "ann", "0 of 4", "waiting"] for row in rows)


def re_row(row):
    return [cell.strip() for cell in row.split("│")[1:-1]]


def test_trusts_are_compared_by_shares(trustflow, told):
    told.said.insert(2, AMBER.model_copy(update={"trust_id": "dune"}))
    (line,) = lines(trustflow("cohort", "compare", "q1", "--statistic", "age_band", "--json"))
    assert line["rows"][1]["persons"] == {"amber": 100}
    assert line["rows"][3]["shares"] == {"amber": None}
    assert "~34%" in trustflow("cohort", "compare", "q1").stdout
    assert "released: age_band" in trustflow("cohort", "compare", "q1", "--statistic", "sex").stdout


def test_two_queries_are_compared(trustflow, told):
    told.said += [
        SUBMITTED.model_copy(update={"query_id": "q2"}),
        AMBER.model_copy(update={"query_id": "q2", "persons": 345}),
    ]
    shown = trustflow("cohort", "diff", "q1", "q2").stdout
    assert "about +5 (± 13)" in shown
    assert "The SQL is the same." in shown
    assert "Age (age_band): the same as before" in shown
    (line,) = lines(trustflow("cohort", "diff", "q1", "q2", "--json"))
    assert line["tables"][0]["cells"] == []
    assert line["changes"][0] == {
        "where": "amber", "before": 340, "after": 345, "by": 5, "margin": 13, "within_margin": True,
    }  # fmt: skip


def test_concepts_are_shown_once_with_their_place_in_the_hierarchy(trustflow, told):
    told.said = [
        ConceptsSought(**SOUGHT, trusts=("amber", "birch")),
        TrustConcepts(**SOUGHT, trust_id="birch", concepts=(DIABETES,), vocabulary_version="v5.0"),
        TrustConcepts(**SOUGHT, trust_id="amber", code="empty_vocabulary", reason="No vocabulary is loaded."),
    ]
    asked = ("cohort", "concepts", "p1", "diabetes", "--trust", "amber", "--trust", "birch", "--domain", "Condition",
             "--all", "--as", "ann")  # fmt: skip
    shown = " ".join(trustflow(*asked).stdout.split())
    assert told.asked == [
        SearchConcepts(
            actor="ann", **SOUGHT, words="diabetes", trusts=("amber", "birch"), domain="Condition", standard_only=False
        )
    ]
    for words in ("201826", "1,234", "201820", "amber: 0 concepts; empty_vocabulary: No vocabulary is loaded."):
        assert words in shown
    assert [line["type"].split(".")[2] for line in lines(trustflow(*asked, "--json"))] == [
        "concepts_sought", "trust_concepts", "trust_concepts",
    ]  # fmt: skip


def test_a_plot_in_the_terminal_has_a_bar_for_each_trust_that_released_a_number(trustflow, told):
    shown = trustflow("cohort", "plot", "q1").stdout
    (amber,) = [row for row in shown.splitlines() if row.startswith("│ amber")]
    (birch,) = [row for row in shown.splitlines() if row.startswith("│ birch")]
    assert "█" * 40 in amber
    assert "█" not in birch
    assert "too few" in birch
    assert "released: age_band" in trustflow("cohort", "plot", "q1", "--statistic", "sex").stdout
    assert lines(trustflow("cohort", "plot", "q1", "--json"))[0]["query_id"] == WHOLE.query_id


def test_a_plot_is_written_to_a_file_of_its_kind(trustflow, told, tmp_path):
    assert trustflow("cohort", "plot", "q1", "--to", tmp_path / "ages.gif").exit_code == 2
    file = tmp_path / "ages.svg"
    assert "ages.svg shows age_band" in trustflow(
        "cohort", "plot", "q1", "--statistic", "age_band", "--to", file
    ).stdout.replace("\n", "")
    assert "amber" in file.read_text()
    missing = trustflow("cohort", "plot", "q1", "--statistic", "sex", "--to", file)
    assert missing.exit_code == 2
    assert "released: age_band" in missing.stderr


def test_criteria_that_the_hub_could_not_read_are_not_sent(trustflow, told, tmp_path):
    (tmp_path / "criteria.json").write_text('{"InclusionRules": 3}')
    result = trustflow(*ASK, "--criteria", tmp_path / "criteria.json")
    assert result.exit_code == 3
    assert result.stderr.startswith("rejected: bad_criteria: $.")
    assert told.asked == []


def test_criteria_are_sent_as_they_are(trustflow, told, tmp_path):
    (tmp_path / "criteria.json").write_text('{"ConceptSets": []}')
    trustflow(*ASK, "--criteria", tmp_path / "criteria.json", "--attrition", "--images", "--no-check")
    (asked,) = told.asked
    assert asked == SubmitCriteria(
        actor="ann",
        query_id="q1",
        project_id="p1",
        criteria='{"ConceptSets": []}',
        trusts=("amber", "birch"),
        attrition=True,
        images=True,
    )
