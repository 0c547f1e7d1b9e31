"""Cohorts as criteria, on your own machine: see the query that they become, or put them in order. Nothing is sent."""

import sys
from typing import Annotated

import typer
from rich.markup import escape

from client.cohort.texts import file_text
from client.terminal import REJECTED, err, say_json
from schemas.criteria import Compiled, CriteriaError, compile_criteria, from_circe, read_circe, to_circe

File = Annotated[
    str, typer.Argument(metavar="FILE", help="JSON in the shape of OHDSI Circe; - reads it.", show_default=False)
]


def compiled(
    file: File,
    *,
    images: Annotated[bool, typer.Option("--images", help="Hand over images: select accession_id, too.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="The attrition: a JSON line for each step.")] = False,
) -> None:
    """Print the SELECT that criteria become.

    trustflow cohort compile cohort.json
    """
    made = _compiled(file, images=images)
    if not rules:
        sys.stdout.write(made.sql + "\n")
        return
    for name, sql in made.rules:
        say_json({"name": name, "sql": sql})


def convert(file: File) -> None:
    """Check criteria and print them in order; stderr tells what was left out as it has no effect on who is in.

    trustflow cohort convert atlas-export.json > cohort.json
    """
    try:
        imported = read_circe(file_text(file, "FILE"))
    except CriteriaError as error:
        raise _refused(error) from None
    for sentence in imported.left_out:
        err.print(f"left out: {escape(sentence)}", soft_wrap=True)
    sys.stdout.write(to_circe(imported.criteria) + "\n")


def _compiled(file: str, *, images: bool) -> Compiled:
    try:
        return compile_criteria(from_circe(file_text(file, "FILE")), images=images)
    except CriteriaError as error:
        raise _refused(error) from None


def _refused(error: CriteriaError) -> typer.Exit:
    err.print(f"[red]rejected: bad_criteria: {escape(str(error))}[/]", soft_wrap=True)
    return typer.Exit(REJECTED)
