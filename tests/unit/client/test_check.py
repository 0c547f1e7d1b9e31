import json

import pytest
from typer.testing import CliRunner

from client.cohort import app

RUN = CliRunner()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.sql").write_text("SELECT person_id\nFROM omop.person;\n")
    (tmp_path / "bad.sql").write_text("SELECT person_id\nFROM omop.person WHERE person_id = 5\n")
    (tmp_path / "latin.sql").write_bytes("-- ü".encode("latin-1"))
    return tmp_path


def test_an_accepted_file_gets_a_line_with_its_kind(folder):
    result = RUN.invoke(app, ["check", f"{folder}/good.sql"])
    assert result.exit_code == 0
    assert result.stdout.endswith("good.sql: list of person_id\n")


def test_a_refused_file_is_told_with_code_place_and_sentence(folder):
    result = RUN.invoke(app, ["check", f"{folder}/good.sql", f"{folder}/bad.sql"])
    assert result.exit_code == 3
    assert "bad.sql: identifier_misused 2:34: person_id may only be" in result.stdout


def test_json_has_an_object_for_each_file(folder):
    result = RUN.invoke(app, ["check", "--json", f"{folder}/good.sql", f"{folder}/bad.sql"])
    good, bad = (json.loads(line) for line in result.stdout.splitlines())
    assert (good["kind"], good["runs"]) == ("list", "SELECT person_id\nFROM person")
    assert (bad["kind"], bad["code"], bad["line"], bad["column"]) == ("refused", "identifier_misused", 2, 34)


def test_standard_input_and_the_need_for_accessions(folder):
    asked = ["check", "-", "--needs-accession"]
    assert RUN.invoke(app, asked, input="SELECT accession_id FROM image_occurrence").exit_code == 0
    assert "accession_missing" in RUN.invoke(app, asked, input="SELECT count(*) FROM person").stdout


@pytest.mark.parametrize("name", ["absent.sql", "latin.sql"])
def test_a_file_that_cannot_be_read_is_named_with_exit_code_2(folder, name):
    result = RUN.invoke(app, ["check", f"{folder}/{name}"])
    assert result.exit_code == 2
    assert name in result.stderr.replace("\n", "")
