"""`trustflow node check`: everything an import needs, tried out once, with what to do where it fails."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trust_node.checking.check import Check
from trust_node.checking.findings import Exit, Finding, Verdict, exit_code
from trust_node.imaging.pacs.hits import InvalidAccessionError, exact_accession
from trust_node.terminal import AsJson, desk_at, say_json

COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.SKIPPED: "yellow"}
out = Console()


def _exact(accession: str | None) -> str | None:
    try:
        return accession if accession is None else exact_accession(accession)
    except InvalidAccessionError as vague:
        raise typer.BadParameter(str(vague)) from None


Accession = Annotated[
    str | None,
    typer.Option(
        callback=_exact, help="A study to bring, de-identify, convert and archive; without it those steps are skipped."
    ),
]


def check(context: typer.Context, accession: Accession = None, as_json: AsJson = False) -> None:
    """Try out everything an import needs: PACS, de-identification, dcm2niix, XNAT. Nothing stays behind.

    Exit codes: 0 every step passed, 1 one failed, 2 wrong usage, 3 none failed but some were skipped.
    """
    settings = desk_at(context).settings
    with quiet("pynetdicom"):
        findings = asyncio.run(_found(Check(settings, accession), as_json=as_json))
    if not as_json:
        out.print(table(findings))
    raise typer.Exit(exit_code(findings))


@contextmanager
def quiet(library: str) -> Iterator[None]:
    """What fails it would say as well; the findings say it with the remedy."""
    logger = logging.getLogger(library)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def table(findings: list[Finding]) -> Table:
    titles = {
        Exit.PASSED: "This node can import",
        Exit.FAILED: "This node cannot import yet",
        Exit.SKIPPED: "Some steps were skipped",
    }
    made = Table(title=titles[exit_code(findings)], title_justify="left")
    for column in ("step", "result", "seconds", "what"):
        made.add_column(column)
    for finding in findings:
        colour = COLOURS[finding.verdict]
        seconds = f"{finding.seconds:.2f}"
        made.add_row(finding.step, f"[{colour}]{finding.verdict.value}[/]", seconds, escape(_what(finding)))
    return made


def _what(finding: Finding) -> str:
    lines = [finding.told]
    if finding.cause:
        lines += [f"Likely: {finding.cause}.", f"Do: {finding.remedy}."]
    return "\n".join(line for line in lines if line)


async def _found(running: Check, *, as_json: bool) -> list[Finding]:
    findings = []
    async for finding in running.findings():
        findings.append(finding)
        if as_json:
            say_json(finding.as_json())
    return findings
