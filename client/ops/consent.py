"""What every command that changes something asks for: a plain yes, a reason, and who it is."""

import getpass
from typing import Annotated

import typer

from client.ops.account import Warrant
from client.terminal import out

Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without it nothing is changed, only shown.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept on operator.events; --yes needs it.")]
Operator = Annotated[
    str,
    typer.Option("--as", envvar="TRUSTFLOW_USER", help="Who acts; else your login name.", show_default=False),
]


def warrant(yes: bool, why: str, operator: str) -> Warrant | None:
    """None for a dry run.

    Raises
    ------
    typer.BadParameter
        ``--yes`` without a reason.
    """
    if not yes:
        return None
    if not why.strip():
        raise typer.BadParameter("say why: it is kept beside your name on operator.events", param_hint="--why")
    return Warrant(operator or getpass.getuser(), why)


def tell_dry_run(as_json: bool) -> None:
    if not as_json:
        out.print('Nothing was changed. Add --yes --why "…" to do it.', highlight=False)
