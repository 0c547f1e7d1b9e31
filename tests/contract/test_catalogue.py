"""The documents are made from the language, and committed: they never lag behind it."""

import json

import pytest

from infra.catalogue import DOCS, catalogue, message_types, schemas

REMEDY = "run `python -m infra.catalogue` and commit docs/: the messages have changed"
SCHEMAS = schemas()


def test_the_event_catalogue_is_up_to_date() -> None:
    assert (DOCS / "events.md").read_text() == catalogue(), REMEDY


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_json_schema_is_up_to_date(name: str) -> None:
    committed = json.loads((DOCS / "schemas" / name).read_text())
    assert committed == json.loads(SCHEMAS[name]), REMEDY


def test_no_published_schema_has_lost_its_message() -> None:
    published = {file.name for file in (DOCS / "schemas").glob("*.json")}
    assert published == set(SCHEMAS), "a published type stays readable: keep its class, or its records are lost"


def test_the_catalogue_names_every_message_that_travels() -> None:
    page = catalogue()
    assert [message.type for message in message_types() if f"### {message.type}\n" not in page] == []
