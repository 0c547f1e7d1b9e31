"""`python -m infra up|status|down|label|env|rotate|setup`: the federation on this machine."""

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from infra import lifecycle, report, rotation
from infra.demo.hospital import label_images, open_hospitals, planned
from infra.federation import ROOT, RUN, Federation, remembered
from infra.parts.part import PartNotReadyError
from infra.rotation import CannotRotate
from infra.supervision import Supervisor

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
rotate = typer.Typer(no_args_is_help=True, help="Replace a key while everybody goes on.")
app.add_typer(rotate, name="rotate")
console = Console(highlight=False, soft_wrap=True)


@app.command()
def setup() -> None:
    """Install what this machine lacks: Debian packages, the virtual environment, Kafka's jars."""
    raise typer.Exit(subprocess.run([str(Path(__file__).with_name("setup.sh"))], check=False).returncode)


@app.command()
def up(
    trusts: Annotated[int, typer.Option(envvar="TRUSTS", help="How many trusts take part.")] = 2,
    tls: Annotated[bool, typer.Option(envvar="TLS", help="Speak to the broker by TLS.")] = False,
    watch: Annotated[bool, typer.Option(envvar="WATCH", help="Start a Prometheus beside it.")] = False,
) -> None:
    """Start what is not running, fill the demo hospitals, and return when everything answers."""
    began = time.monotonic()
    try:
        federation = lifecycle.up(trusts, console.print, tls=tls, watch=watch)
        asyncio.run(open_hospitals(federation, ROOT / "build", console.print))
    except (lifecycle.FederationError, PartNotReadyError, ValueError) as refused:
        _fail(str(refused))
    console.print(f"[green]up[/green] after {time.monotonic() - began:.1f} s: . {RUN}/env")


@app.command()
def status() -> None:
    """Show every process: state, health, port and memory. Exit 1 when one is not well."""
    found = report.rows(_running(), Supervisor(RUN))
    console.print(report.table(found))
    raise typer.Exit(0 if all(map(report.is_well, found)) else 1)


@app.command()
def down() -> None:
    """Stop everything and make sure that nothing is left. Data stays in build/run."""
    began = time.monotonic()
    for process in lifecycle.down(console.print):
        console.print(f"ended by force: {process.pid} {process.command[:60]}")
    console.print(f"[green]down[/green] after {time.monotonic() - began:.1f} s")


@app.command()
def label(project_id: str) -> None:
    """Label a project's images in every trust's XNAT, as the data managers of the demo hospitals would."""
    federation = _running()
    for trust in federation.trusts:
        labelled = asyncio.run(label_images(federation, trust, project_id, planned(federation)))
        console.print(f"{trust}: {labelled} scans labelled")


@app.command()
def env() -> None:
    """Print the addresses of the running federation as shell lines."""
    _running()
    print((RUN / "env").read_text(), end="")


def _rotated(rotate: Callable[[Federation], None], sentence: str) -> None:
    try:
        rotate(_running())
    except CannotRotate as refused:
        _fail(str(refused))
    console.print(sentence)


@rotate.command("certificate")
def rotate_certificate() -> None:
    """Give the broker a new key and certificate. Nobody is restarted."""
    _rotated(rotation.rotate_certificate, "the broker shows a new certificate; open connections stay open")


@rotate.command("password")
def rotate_password(principal: str) -> None:
    """Give a principal a new password. Only its own process is restarted."""
    _rotated(lambda here: rotation.rotate_password(here, principal), f"{principal} has a new password")


@rotate.command("signing-key")
def rotate_signing_key(trust: str) -> None:
    """Have a trust sign by a new key. Only its own node is restarted; the old key stays good until it is removed."""
    _rotated(lambda here: rotation.rotate_signing_key(here, trust), f"{trust} signs by a new key")


def _running() -> Federation:
    federation = remembered()
    if federation is None or not Supervisor(RUN).is_running():
        _fail("no federation is running: `make up` starts one")
    return federation


def _fail(sentence: str) -> NoReturn:
    console.print(f"[red]{sentence}")
    raise typer.Exit(1)


app()
