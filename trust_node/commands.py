"""`trustflow node`: what a person at the trust does with its node."""

from pathlib import Path
from typing import Annotated

import typer

from trust_node.checking.commands import check
from trust_node.cohort import commands as warehouse
from trust_node.imaging import commands as imports
from trust_node.imaging.content import commands as content
from trust_node.imaging.conversion import commands as conversion
from trust_node.imaging.holds import commands as holds

app = typer.Typer(no_args_is_help=True, help="Look after this trust's node: at the trust only.")

EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env",
        envvar="TRUSTFLOW_NODE_ENV",
        exists=True,
        dir_okay=False,
        help="A file with the node's TRUSTFLOW_… variables; the environment itself by default.",
    ),
]


@app.callback()
def _group(context: typer.Context, env: EnvFile = None) -> None:
    """What every command of the group is told: where the node's variables are, as `context.obj`."""
    context.obj = env


app.command("check")(check)
app.add_typer(content.app, name="content")
app.add_typer(conversion.app, name="conversion")
app.add_typer(imports.app, name="import")
app.add_typer(holds.app, name="hold")
app.add_typer(warehouse.app, name="warehouse")
