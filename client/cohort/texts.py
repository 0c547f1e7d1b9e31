"""What a query is asked with: texts given on the command line, or in files behind an @."""

import sys
from pathlib import Path

import typer

from schemas.cohort import Rule


def sql_text(given: str, option: str = "--sql") -> str:
    if given == "@-":
        return sys.stdin.read()
    return file_text(given[1:], option) if given.startswith("@") else given


def file_text(path: str, option: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint=option) from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path} is not UTF-8 text", param_hint=option) from None


def rule(given: str) -> Rule:
    """NAME=SQL, or NAME=@FILE."""
    name, equals, text = given.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{given}: write NAME=@FILE", param_hint="--rule")
    return Rule(name=name, sql=sql_text(text, "--rule"))
