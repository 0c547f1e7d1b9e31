"""The page must show every command, and only options that exist."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from client.cli import app
from client.terminal import EXIT_CODES

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
EXAMPLES = [shlex.split(line) for line in re.findall(r"^trustflow (.+)$", PAGE, re.MULTILINE)]
RUNBOOKS = sorted((Path(__file__).parents[3] / "docs" / "runbooks").glob("*.md"))
TYPED = [
    pytest.param(shlex.split(line), id=f"{page.stem}: {line}")
    for page in RUNBOOKS
    for line in re.findall(r"^ *\$ trustflow (.+)$", page.read_text(), re.MULTILINE)
]
GUIDE = (Path(__file__).parents[3] / "docs" / "cohorts.md").read_text()
TYPED += [
    pytest.param(shlex.split(line, comments=True), id=f"cohorts: {line}")
    for line in re.findall(r"^trustflow (.+)$", GUIDE, re.MULTILINE)
]
ROOT = get_command(app)


def named(words, command=ROOT, path=()):
    """The command that the words name, its path, and its arguments."""
    if not hasattr(command, "commands"):
        return command, path, words
    return named(words[1:], command.commands[words[0]], (*path, words[0]))


def paths(command=ROOT, path=()):
    if not hasattr(command, "commands"):
        return {path}
    return {below for name, inner in command.commands.items() for below in paths(inner, (*path, name))}


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_every_example_parses(words):
    command, path, arguments = named(words)
    assert command.make_context(" ".join(path), arguments, resilient_parsing=False).command is command


def test_every_command_has_an_example():
    assert {named(words)[1] for words in EXAMPLES} == paths()


def test_every_exit_code_is_explained():
    documented = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert documented == re.findall(r"\b(\d) ", EXIT_CODES)


@pytest.mark.parametrize("words", TYPED)
def test_what_a_runbook_or_the_guide_types_parses(words):
    command, path, arguments = named(words)
    assert command.make_context(" ".join(path), arguments, resilient_parsing=False).command is command


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_a_runbooks_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
