"""`trustflow run`: federated rounds, watched live, and the model that comes out."""

import json
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from client.sdk import Trustflow
from client.terminal import RUN_FAILED, Actor, AsJson, err, out, pictures, play, say, say_json, table
from schemas.training import Metrics, RunFinished, RunPlan
from schemas.views import RunView, fold_run

app = typer.Typer(no_args_is_help=True, help="Train at the trusts, follow the rounds, take the model.")

RunId = Annotated[str, typer.Argument(help="The run's id.", show_default=False)]


@app.command()
def start(
    model_id: Annotated[str, typer.Argument(help="The model to train.", show_default=False)],
    *,
    actor: Actor,
    trust: Annotated[list[str], typer.Option(help="A trust that trains; give it once for each.", show_default=False)],
    rounds: Annotated[int, typer.Option(min=1, help="How many rounds.")] = 5,
    quorum: Annotated[
        int | None, typer.Option(min=1, help="Least updates that may close a round; all by default.")
    ] = None,
    deadline: Annotated[float, typer.Option(help="Seconds a round may take.")] = 600.0,
    seed: Annotated[int, typer.Option(help="The same seed, code and data give the same model.")] = 0,
    metric: Annotated[str, typer.Option(help="What says how good a model is.")] = "accuracy",
    lower_is_better: Annotated[bool, typer.Option("--lower-is-better", help="For a loss or an error.")] = False,
    config: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the training code.")] = None,
    run_id: Annotated[str | None, typer.Option("--id", help="An id of your own; new by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """9. Start federated training with the newest approved code; prints the run's id at once.

    trustflow run start MODEL --trust amber --trust birch --rounds 5 --as ann
    """

    async def work(hub: Trustflow) -> str:
        plan = RunPlan(
            rounds=rounds,
            quorum=quorum or len(trust),
            round_deadline_s=deadline,
            seed=seed,
            metric=metric,
            higher_is_better=not lower_is_better,
            config=dict(map(setting, config or ())),
        )
        return await hub.start_run(model_id, trust, plan, run_id=run_id)

    made = play(work, actor)
    say(as_json, {"run_id": made}, f"{made} has begun. Next: trustflow run watch {made}")


@app.command()
def watch(run_id: RunId, as_json: AsJson = False) -> None:
    """10. Rounds and metrics live, until the run ends; exit code 6 if it did not finish.

    trustflow run watch RUN
    """

    async def work(hub: Trustflow) -> RunView | None:
        view: RunView | None = None
        with pictures(as_json) as draw:
            async with aclosing(hub.watch_run(run_id)) as events:
                async for event in events:
                    view = fold_run(view, event)
                    if as_json:
                        say_json(event)
                    elif view:
                        draw(picture(view))
        return view

    view = play(work)
    if view is None:
        return
    if not as_json:
        out.print(picture(view))
    _leave_unless_finished(view)
    if not as_json:
        out.print(f"Next: trustflow run download {run_id} --to model.safetensors --as …", soft_wrap=True)


@app.command()
def stop(run_id: RunId, actor: Actor, as_json: AsJson = False) -> None:
    """Stop a run at every trust.

    trustflow run stop RUN --as ann
    """
    play(lambda hub: hub.stop_run(run_id), actor)
    say(as_json, {"run_id": run_id}, f"{run_id} stops.")


@app.command()
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Where a run stands: trusts, rounds, metrics, result.

    trustflow run show RUN
    """
    view = play(lambda hub: hub.run(run_id))
    if as_json:
        say_json(view)
    else:
        out.print(picture(view))


@app.command()
def download(
    run_id: RunId,
    actor: Actor,
    to: Annotated[Path, typer.Option(help="The file to write.")] = Path("model.safetensors"),
    as_json: AsJson = False,
) -> None:
    """11. Take the model, verified, and its provenance beside it.

    trustflow run download RUN --to model.safetensors --as ann
    """

    async def work(hub: Trustflow) -> RunFinished:
        return await hub.download_model(run_id, to)

    result = play(work, actor)
    provenance = to.with_suffix(".provenance.json")
    provenance.write_text(result.provenance.model_dump_json(indent=2) + "\n")
    say(
        as_json,
        {"model": str(to), "provenance": str(provenance), "bytes": result.model.manifest.size},
        f"{to}: {result.model.manifest.size} bytes, every part verified; {provenance} says what it was made from.",
    )


def setting(given: str) -> tuple[str, Any]:
    """NAME=VALUE; the value is JSON where it can be, else text."""
    name, equals, text = given.partition("=")
    if not equals:
        raise typer.BadParameter(f"{given}: write NAME=VALUE", param_hint="--config")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def picture(view: RunView) -> RenderableType:
    done = len([finished for finished in view.rounds if finished.round > 0])
    head = table(
        f"Run {view.run_id}: {view.status}, round {view.round} of {view.plan.rounds}",
        ("trust", "images", "labelled", "walls", "this round"),
        [_trust_row(view, trust) for trust in view.trusts],
    )
    rounds = table(
        "Rounds",
        ("round", "seconds", "trusts", "metrics"),
        [
            (
                finished.round,
                f"{finished.seconds:.2f}",
                ", ".join(finished.participants),
                metrics_text(finished.metrics),
            )
            for finished in view.rounds
        ],
    )
    notes = [*view.notes, *([view.failure] if view.failure else []), *_result(view)]
    bar = Padding(ProgressBar(total=view.plan.rounds, completed=done, width=40), (0, 0, 1, 0), expand=False)
    return Group(head, bar, rounds, *map(Text, notes))


def _trust_row(view: RunView, trust: str) -> tuple[object, ...]:
    if trust in view.left:
        return (trust, "", "", "", f"left: {view.left[trust]}")
    ready = view.ready.get(trust)
    if ready is None:
        return (trust, "", "", "", "preparing")
    return (trust, ready.images, ready.labelled, ready.isolation, "update in" if trust in view.updates else "working")


def _result(view: RunView) -> list[str]:
    if view.result is None:
        return []
    sites = (f"{site.trust_id} ({site.examples}): {metrics_text(site.metrics)}" for site in view.result.sites)
    return [f"Result: {metrics_text(view.result.metrics)}", *sites]


def metrics_text(metrics: Metrics) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))


def _leave_unless_finished(view: RunView) -> None:
    if view.status in ("failed", "stopped"):
        err.print(f"the run {view.status}: {view.failure}", markup=False)
        raise typer.Exit(RUN_FAILED)
