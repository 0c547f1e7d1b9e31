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
GROUPS = get_command(app).commands


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_every_example_parses(words):
    group, command, *arguments = words
    context = GROUPS[group].commands[command].make_context(command, arguments, resilient_parsing=False)
    assert context.params


def test_every_command_has_an_example():
    shown = {tuple(words[:2]) for words in EXAMPLES}
    assert shown == {(group, command) for group in GROUPS for command in GROUPS[group].commands}


def test_every_exit_code_is_explained():
    documented = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert documented == re.findall(r"\b(\d) ", EXIT_CODES)
