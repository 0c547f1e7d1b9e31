"""The `trustflow ops` group: each module beside this one brings one command, or a group of them."""

import typer

from client.ops import acl, audit, dlq, objects, topics, views
from client.ops.exporter import exporter
from client.ops.lag import lag
from client.ops.rebuild import rebuild
from client.ops.replay import replay
from client.ops.tail import tail
from client.ops.top import top
from client.ops.trace import trace

app = typer.Typer(
    no_args_is_help=True,
    help="See what was said and what waits, and put it right (needs the operator's password).",
)
for command in (tail, trace, lag, top, exporter, replay, rebuild):
    app.command()(command)
for name, group in {
    "dlq": dlq.app,
    "topics": topics.app,
    "acl": acl.app,
    "audit": audit.app,
    "objects": objects.app,
    "views": views.app,
}.items():
    app.add_typer(group, name=name)
