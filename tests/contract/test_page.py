"""The page for writers of UI backends: its programs are the examples, and what it says of rights and headers is so."""

import re
from pathlib import Path

import pytest

from infra.contract.headers import HEADERS
from schemas.topics import BACKEND, HUB_TOPICS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "write-a-ui-backend.md").read_text()
BLOCKS = re.findall(r"^```(?:python|js|bash)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PROGRAMS = sorted(file for file in (ROOT / "examples").glob("*/*") if file.suffix in {".py", ".js", ".sh"})


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda file: file.name)
def test_each_example_is_on_the_page_as_it_is(program: Path) -> None:
    assert program.read_text() in BLOCKS, f"copy {program} into docs/write-a-ui-backend.md"
    assert f"`{program.relative_to(ROOT)}`" in PAGE


def test_no_program_on_the_page_is_untested() -> None:
    assert len(BLOCKS) == len(PROGRAMS)


def test_the_rights_on_the_page_are_those_of_the_broker() -> None:
    found = re.findall(r"^\| (write|read) \|(.+)$", PAGE, re.MULTILINE)
    rows = {name: set(re.findall(r"`([a-z.]+)`", topics)) for name, topics in found}
    assert rows["write"] == {topic.name for topic in HUB_TOPICS if BACKEND in topic.writers}
    assert rows["read"] == {topic.name for topic in HUB_TOPICS if BACKEND in topic.readers}


def test_every_required_header_is_explained() -> None:
    explained = set(re.findall(r"^\| `(ce_[a-z]+)` \|", PAGE, re.MULTILINE))
    assert explained == set(HEADERS["required"])


def test_every_code_on_the_page_is_one_that_the_bus_gives() -> None:
    codes = set(re.findall(r"^\| (`[a-z_`, ]+`) \|", PAGE.split("## Errors")[1], re.MULTILINE))
    said = "".join(file.read_text() for file in (ROOT / "bus").glob("*.py"))
    named = [code for row in codes for code in re.findall(r"[a-z_]+", row)]
    assert {"invalid_payload", "retries_exhausted"} <= set(named)
    assert [code for code in named if f'"{code}"' not in said] == []
