"""The documents are made from the language, and committed: they never lag behind it."""

import json

import pytest

from infra.catalogue import DOCS, asyncapi, catalogue
from infra.contract.language import message_types, schema
from schemas.upcast import UPCASTERS

REMEDY = "run `python -m infra.catalogue` and commit docs/: the messages have changed"
SCHEMAS = {message.type: schema(message) for message in message_types()}


def test_the_event_catalogue_is_up_to_date() -> None:
    assert (DOCS / "events.md").read_text() == catalogue(), REMEDY


def test_the_asyncapi_document_is_up_to_date() -> None:
    assert (DOCS / "asyncapi.json").read_text() == asyncapi(), REMEDY


@pytest.mark.parametrize("type_", SCHEMAS)
def test_the_json_schema_is_up_to_date(type_: str) -> None:
    assert json.loads((DOCS / "schemas" / f"{type_}.json").read_text()) == SCHEMAS[type_], REMEDY


def test_no_published_schema_has_lost_its_reader() -> None:
    published = {file.stem for file in (DOCS / "schemas").glob("*.json")}
    assert published == SCHEMAS.keys() | UPCASTERS.keys(), "keep its class, or add an upcaster: its records are kept"


def test_the_catalogue_names_every_message_that_travels() -> None:
    page = catalogue()
    assert [type_ for type_ in (*SCHEMAS, *UPCASTERS) if f"### {type_}\n" not in page] == []
