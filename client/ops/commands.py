"""The `trustflow ops` group: each module beside this one brings one command, or a group of them."""

import typer

from client.ops import dlq
from client.ops.lag import lag
from client.ops.tail import tail
from client.ops.trace import trace

app = typer.Typer(
    no_args_is_help=True,
    help="See what was said and what waits, and put it right (needs the operator's password).",
)
for command in (tail, trace, lag):
    app.command()(command)
for name, group in (("dlq", dlq.app),):
    app.add_typer(group, name=name)
