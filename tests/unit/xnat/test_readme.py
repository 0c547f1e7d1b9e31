"""The tables of the README are what the application answers, no more and no less."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.xnat import address, not_served
from infra.xnat.app import build_app
from infra.xnat.archive import Archive
from infra.xnat.users import Accounts, User

README = (Path(not_served.__file__).parent / "README.md").read_text()
FALLBACKS = {"/xapi/{rest:path}", "/data/{path:path}"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    root = tmp_path_factory.mktemp("archive")
    administrator = User("admin", "salt$hash", admin=True)
    app = build_app(Archive(root, lambda: datetime.now(UTC)), Accounts(root, administrator, lambda: 0.0))
    return [(method, route.path) for route in app.routes for method in route.methods - {"HEAD"}]


def test_every_route_is_in_the_table_and_every_line_is_a_route(routes):
    unserved = {(method, path) for method, path in routes if path in not_served.SENTENCES}
    unserved |= {("PUT", "/xapi/dicomscp"), ("POST", "/xapi/dicomscp"), ("DELETE", "/xapi/dicomscp")}
    told = re.findall(r"`([A-Z]+(?: [A-Z]+)*) (/[^`]*)`", README)
    written = {(method, path) for methods, path in told for method in methods.split()}
    asked = {("GET", "/health"), ("POST", "/xapi/users")}
    served = {(method, path) for method, path in routes if path not in FALLBACKS} - unserved
    assert {each for each in written if "?" not in each[1]} | asked == served


def test_every_sentence_of_a_501_is_in_the_table():
    section = README.partition("## What is not")[2]
    told = dict(re.findall(r"^\| `(/[^`]*)` \| (.*) \|$", section, re.MULTILINE))
    assert told == not_served.SENTENCES


def test_every_address_of_the_tree_leads_somewhere():
    section = README.partition("The tree, below")[2].partition("Lists take")[0]
    addresses = re.findall(r"`((?:projects|subjects|experiments)/[^`]*)`", section)
    assert len(addresses) > 15
    for each in addresses:
        assert address.parse(each) == address.parse(f"archive/{each}")
