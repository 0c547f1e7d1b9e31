"""`trustflow cohort`: count at each trust, see what it chose to release, compare, draw."""

import typer

from client.check import check
from client.cohort import against, asking, concepts, criteria, drawing, looking

app = typer.Typer(no_args_is_help=True, help="Count a cohort at each trust; only released counts come back.")
app.command()(check)
app.command()(asking.query)
app.command()(asking.repeat)
app.command()(asking.cancel)
app.command()(looking.show)
app.command("list")(looking.every)
app.command()(against.compare)
app.command()(against.diff)
app.command()(drawing.plot)
app.command()(concepts.concepts)
app.command("compile")(criteria.compiled)
app.command()(criteria.convert)
