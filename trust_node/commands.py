"""`trustflow node`: what a person at the trust does with its node."""

import typer

app = typer.Typer(no_args_is_help=True, help="Look after this trust's node: at the trust only.")


@app.callback()
def _group() -> None:
    """Keep this a group, however many commands it has."""
