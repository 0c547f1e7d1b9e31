"""`trustflow deid`: try a de-identification before anybody's images depend on it."""

import typer

app = typer.Typer(no_args_is_help=True, help="Check de-identification scripts and see what they do to a file.")


@app.callback()
def _group() -> None:
    """Keep this a group, however many commands it has."""
