"""The `trustflow` command; each group has a module of its own."""

from importlib.metadata import entry_points

import typer

from client import cohort, imports, model, project, run
from client.ops import commands as ops
from client.terminal import EXIT_CODES

PATH = """Train imaging AI across hospitals without moving patient data.

The path, one command after the other:

\b
 1  trustflow project create "Prostate MR" --as ann
 2  trustflow cohort query PROJECT --trust amber --trust birch --sql @cohort.sql --as ann
 3  trustflow project stage PROJECT --query QUERY --trust amber --trust birch --as ann
 4  trustflow project approve PROJECT --trust amber --as amber-approver
 5  trustflow import watch PROJECT
 6  trustflow model create PROJECT "Sequence type" --as ann
 7  trustflow model upload MODEL ./trainer --as ann
 8  trustflow model approve MODEL --trust amber --as amber-approver
 9  trustflow run start MODEL --trust amber --trust birch --rounds 5 --as ann
10  trustflow run watch RUN
11  trustflow run download RUN --to model.safetensors --as ann

`make up` starts a federation to try it on. Set TRUSTFLOW_USER instead of --as. Every command takes --json.
`trustflow ops trace ID` shows what any of this caused; `trustflow ops` is for operators.
"""

app = typer.Typer(
    no_args_is_help=True, help=PATH, epilog=EXIT_CODES, pretty_exceptions_show_locals=False, rich_markup_mode=None
)
for name, group in (
    ("project", project.app),
    ("cohort", cohort.app),
    ("import", imports.app),
    ("model", model.app),
    ("run", run.app),
    ("ops", ops.app),
):
    app.add_typer(group, name=name)
for entry in entry_points(group="trustflow.commands"):
    app.add_typer(entry.load(), name=entry.name)
