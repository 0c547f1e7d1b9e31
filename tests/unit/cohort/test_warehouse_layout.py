"""What a trust may say of its warehouse's layout, and which statements its views become."""

from unittest.mock import Mock

import pytest
from pydantic import ValidationError

from schemas.sql.allowed import TABLES
from tests.unit.trust_node.people.test_settings import NEEDED
from trust_node.cohort.hardening.facts import Facts
from trust_node.cohort.hardening.hazards import REST, purpose
from trust_node.cohort.hardening.layout import AccessionColumn, Layout, OptOut, others_of
from trust_node.cohort.hardening.searching import searched
from trust_node.cohort.hardening.views import absent, views
from trust_node.settings import Settings

PERSON = {"person": {"person_id": "integer", "birth_datetime": "timestamp", "year_of_birth": "integer"}}


def test_a_view_has_allowed_columns_only() -> None:
    made = views(Layout("reader"), PERSON, {})
    assert made == {
        "person": "CREATE VIEW trustflow_cohort.person AS SELECT t.person_id, t.year_of_birth FROM omop.person AS t"
    }


def test_a_view_that_hides_rows_is_a_barrier() -> None:
    (view,) = views(Layout("reader", opt_out=OptOut("hospital", "gone", "subject")), PERSON, {}).values()
    assert view == (
        "CREATE VIEW trustflow_cohort.person WITH (security_barrier) AS SELECT t.person_id, t.year_of_birth"
        " FROM omop.person AS t WHERE t.person_id NOT IN"
        " (SELECT gone.subject FROM hospital.gone AS gone WHERE gone.subject IS NOT NULL)"
    )


@pytest.mark.parametrize(
    ("trigrams", "lacking", "made"),
    [
        (None, {"concept"}, []),
        ("public", set(), []),
        ("public", {"concept"}, ["CREATE INDEX ON omop.concept USING gin (concept_name public.gin_trgm_ops)"]),
        (
            "",
            {"concept_synonym"},
            [
                "CREATE EXTENSION pg_trgm SCHEMA omop",
                "CREATE INDEX ON omop.concept_synonym USING gin (concept_synonym_name omop.gin_trgm_ops)",
            ],
        ),
    ],
)
def test_names_are_indexed_where_the_server_has_trigrams(
    trigrams: str | None, lacking: set[str], made: list[str]
) -> None:
    facts = Mock(spec=Facts, trigrams=trigrams, names_without_trigrams=frozenset(lacking))
    assert [statement.sql for statement in searched(Layout("reader"), facts)] == made


def test_what_is_not_there_is_named() -> None:
    lacking = set(absent({"person": {"person_id": "", "year_of_birth": ""}}))
    assert "measurement" in lacking
    assert "person.gender_concept_id" in lacking
    assert not lacking & {"person", "person.person_id"}
    assert len(lacking) == len(TABLES) - 1 + len(TABLES["person"]) - 2


def test_opt_outs_and_accessions_are_read() -> None:
    assert OptOut.read("hospital.gone") == OptOut("hospital", "gone", "person_id")
    assert AccessionColumn.read("exam.number by visit_occurrence_id", "omop").key == "visit_occurrence_id"
    assert AccessionColumn.read("procedure_occurrence.procedure_source_value", "omop").key == "procedure_occurrence_id"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("opt_out_table", "gone"),
        ("opt_out_table", "hospital.gone; drop table person"),
        ("accession_column", "number"),
        ("accession_column", 'omop.exam."number"'),
        ("cdm_schema", "OMOP"),
        ("views_schema", "omop"),
    ],
)
def test_what_is_no_plain_name_is_refused(setting: str, value: str) -> None:
    with pytest.raises(ValidationError, match=setting):
        Settings(**NEEDED | {setting: value})


def test_an_address_without_a_role_is_named_when_it_is_needed() -> None:
    settings = Settings(**NEEDED)
    with pytest.raises(ValueError, match="names no role"):
        _ = settings.layout


def test_the_replica_is_asked_where_there_is_one() -> None:
    told = NEEDED | {"warehouse_url": "postgresql://reader:x@primary/omop"}
    assert Settings(**told).layout.reader == "reader"
    assert Settings(**told).warehouse.dsn.endswith("@primary/omop")
    assert Settings(**told, warehouse_replica_url="postgresql://reader:x@copy/omop").warehouse.dsn.endswith(
        "@copy/omop"
    )


def test_each_function_has_a_reason_to_go() -> None:
    assert "files" in purpose("pg_read_file(text)")
    assert "text" in purpose("query_to_xml(text,boolean,boolean,text)")
    assert purpose("acos(double precision)") == REST


def test_roles_of_a_database_are_plain_names() -> None:
    assert others_of("OMOP-Prod") == "trustflow_omop_prod_others"
