"""`trustflow cohort check`: ask the judge of cohort queries about files, without sending anything."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from client.terminal import REJECTED, USAGE, AsJson, err, out
from schemas.sql.judge import Frame, Listing, Verdict, judge
from schemas.sql.refusal import Refused

STDIN = "-"


def check(
    files: Annotated[list[str], typer.Argument(help="Files of one SELECT each; - reads standard input.")],
    needs_accession: Annotated[
        bool, typer.Option("--needs-accession", help="As for a project with images: accession_id must be selected.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say of each file what its query is, or where and why a trust would refuse it; nothing is sent.

    Exit code 0: all accepted; 3: one is refused; 2: a file cannot be read. What counts is the trust's own verdict.

    trustflow cohort check cohort.sql
    """
    verdicts = {file: judge(_text(file), needs_accession=needs_accession) for file in files}
    for file, verdict in verdicts.items():
        if as_json:
            typer.echo(json.dumps({"file": file} | _facts(verdict)))
        else:
            out.print(escape(f"{file}: {_line(verdict)}"), soft_wrap=True, highlight=False)
    if any(isinstance(verdict, Refused) for verdict in verdicts.values()):
        raise typer.Exit(REJECTED)


def _text(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return content.decode("utf-8-sig").removesuffix("\n")
    except OSError as error:
        problem = error.strerror
    except UnicodeDecodeError:
        problem = "it is not UTF-8; save it as UTF-8"
    err.print(escape(f"{file} cannot be read: {problem}"), soft_wrap=True, highlight=False)
    raise typer.Exit(USAGE)


def _line(verdict: Verdict) -> str:
    if isinstance(verdict, Refused):
        return f"{verdict.code} {verdict.line}:{verdict.column}: {verdict.sentence}"
    return f"{kind_of(verdict)} of {', '.join(_columns(verdict)) or 'persons'}"


def _facts(verdict: Verdict) -> dict[str, object]:
    if isinstance(verdict, Refused):
        refused = {"kind": "refused", "code": verdict.code.value, "sentence": verdict.sentence}
        return {**refused, "line": verdict.line, "column": verdict.column}
    return {"kind": kind_of(verdict), "columns": _columns(verdict), "runs": verdict.sql}


def kind_of(verdict: Verdict) -> str:
    """Return the kind of an accepted query in a word: list, frame or counts."""
    if isinstance(verdict, Listing):
        return "list"
    return "frame" if isinstance(verdict, Frame) else "counts"


def _columns(verdict: Verdict) -> list[str]:
    match verdict:
        case Listing():
            return [f"{kind.value}_id" for kind in verdict.columns]
        case Frame():
            return list(verdict.names)
        case Refused():
            return []
    return [*verdict.keys, "persons"]
