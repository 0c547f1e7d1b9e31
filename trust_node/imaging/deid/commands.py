"""`trustflow deid`: try a de-identification before anybody's images depend on it."""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trust_node.imaging.deid.comparing import Compared
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.pixels import Held, explain
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.planning import NoValidProfileError
from trust_node.imaging.deid.script import Script, ScriptErrors
from trust_node.imaging.deid.trying import ruled, tried, tried_plan
from trust_node.terminal import AsJson, say_json

app = typer.Typer(no_args_is_help=True, help="Check de-identification scripts and see what they do to a file.")
out, err = Console(), Console(stderr=True)
Made = TypeVar("Made")

File = Annotated[Path, typer.Argument(show_default=False, help="A DICOM file.")]
ScriptFiles = Annotated[list[Path], typer.Argument(show_default=False, help="DicomEdit 6 scripts.")]
MoreScripts = Annotated[list[Path] | None, typer.Option("--script", help="A script to run after the trust's.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="The trust's policy file; [deid] is read.")]
Options = Annotated[list[Option] | None, typer.Option("--option", help="An option of PS3.15 a project would ask for.")]
SopClass = Annotated[str, typer.Option(help="SOP Class UID; by default what is valid for every class.")]
ShowValues = Annotated[bool, typer.Option("--show-values", help="Show the patient's values, before and after.")]

_COLOURS = {"kept": "", "changed": "yellow", "removed": "red", "added": "green"}


@app.callback()
def _group() -> None:
    """Keep this a group, however many commands it has."""


@app.command()
def validate(scripts: ScriptFiles, as_json: AsJson = False) -> None:
    """Say what is wrong with scripts, line by line; exit code 1 if anything is.

    trustflow deid validate site.das project.das
    """
    failed = [file for file in scripts if not _validated(file, as_json)]
    raise typer.Exit(1 if failed else 0)


@app.command()
def diff(
    file: File,
    *,
    policy: PolicyFile = None,
    script: MoreScripts = None,
    option: Options = None,
    show_values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """Show what profile, white list and scripts do to each element of a file; nothing is written.

    trustflow deid diff image.dcm --policy policy.toml --script project.das
    """
    scripts = [_script(one, as_json) for one in script or ()]
    settled = _or_exit(lambda: tried_plan(policy, option or (), scripts))
    told = _tried(file, settled)
    if show_values:
        err.print("[bold red]These are values of a patient: they stay at the trust.[/]")
    _say_notes(settled)
    if as_json:
        _say_lines(_without_values(one, show_values) for one in told)
        return
    out.print(_table(told, show_values))
    out.print(", ".join(f"{count} {fate}" for fate, count in Counter(one.fate for one in told).items()))


@app.command()
def profile(
    policy: PolicyFile = None, option: Options = None, sop_class: SopClass = "", as_json: AsJson = False
) -> None:
    """Show what the policy's profile does to each attribute of PS3.15 table E.1-1.

    trustflow deid profile --policy policy.toml --option retain_uids
    """
    found = list(ruled(_or_exit(lambda: tried_plan(policy, option or ())), sop_class))
    if as_json:
        _say_lines(map(asdict, found))
        return
    made = _titled(f"{len(found)} attributes", "tag", "keyword", "action", "rule")
    for one in found:
        made.add_row(one.tag, one.keyword, one.action, one.rule)
    out.print(made)


def _validated(file: Path, as_json: bool) -> bool:
    """Say what a script is, or what is wrong with it."""
    script = _parsed(file, as_json)
    if script is None:
        return False
    if as_json:
        known = {"version": script.version, "digest": script.digest, "alters_pixels": script.alters_pixels}
        _say_lines([{"file": str(file), **known, "variables": sorted(script.variables)}])
        return True
    given = ", ".join(sorted(script.variables)) or "none"
    told = f"{file}: version {script.version}, nothing wrong; variables it is to be given: {given}"
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    return True


def _script(file: Path, as_json: bool) -> Script:
    script = _parsed(file, as_json)
    if script is None:
        raise typer.Exit(1)
    return script


def _parsed(file: Path, as_json: bool) -> Script | None:
    try:
        return Script.parse(file.read_text(encoding="utf-8"), file.stem)
    except (OSError, UnicodeDecodeError) as error:
        why = f"{type(error).__name__}: a script is a file of UTF-8 text"
        told = [{"file": str(file), "line": 1, "column": 1, "error": why}]
    except ScriptErrors as errors:
        told = [
            {"file": str(file), "line": one.line, "column": one.column, "error": one.sentence} for one in errors.errors
        ]
    if as_json:
        _say_lines(told)
        return None
    for one in told:
        out.print("{file}:{line}:{column}: {error}".format(**one), markup=False, highlight=False, soft_wrap=True)
    return None


def _or_exit(make: Callable[[], Made]) -> Made:
    """Make something of a policy, or say why not."""
    try:
        return make()
    except (NoValidProfileError, ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from None


def _tried(file: Path, settled: DeidPlan) -> list[Compared]:
    try:
        return tried(file, settled)
    except Held as held:
        why = held.__cause__ or explain(held.reason)
        err.print(f"held: {held.reason}: {why}", markup=False, soft_wrap=True)
    except Exception as error:  # noqa: BLE001  hostile bytes break a parser in any way it knows, and it quotes them
        err.print(f"{file} can't be read as DICOM: {type(error).__name__}", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def _say_notes(settled: DeidPlan) -> None:
    """Say what the plan's white list leaves undone of what its author wrote."""
    for note in settled.whitelist.not_taken_over if settled.whitelist else ():
        err.print(f"white list: {note}", markup=False)


def _table(told: list[Compared], show_values: bool) -> Table:
    values = ("before", "after") if show_values else ()
    made = _titled("Pseudonyms and dates are not those of an import", "element", "keyword", "fate", "rules", *values)
    for one in told:
        shown = (one.before, one.after) if show_values else ()
        cells = (one.path, one.keyword, one.fate, "\n".join(one.rules), *shown)
        made.add_row(*map(escape, cells), style=_COLOURS[one.fate])
    return made


def _titled(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def _without_values(one: Compared, show_values: bool) -> dict[str, object]:
    hidden = () if show_values else ("before", "after")
    return {name: value for name, value in asdict(one).items() if name not in hidden}


def _say_lines(lines: Iterable[dict[str, object]]) -> None:
    for line in lines:
        say_json(line)
