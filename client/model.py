"""`trustflow model`: a model, its training code, and the trusts that approved that code."""

from pathlib import Path
from typing import Annotated

import typer

from client.hearing import NotFound
from client.sdk import Trustflow
from client.terminal import Actor, AsJson, out, play, say, say_json, table
from schemas.training import BundleSubmitted
from schemas.views import BundleView

app = typer.Typer(no_args_is_help=True, help="Bring training code to the trusts; each approves it by its digest.")

ModelId = Annotated[str, typer.Argument(help="The model's id.", show_default=False)]
TrustOption = Annotated[str, typer.Option("--trust", help="The trust you decide for.", show_default=False)]
Digest = Annotated[str | None, typer.Option("--sha256", help="Which code; the newest accepted by default.")]


@app.command()
def create(
    project_id: Annotated[str, typer.Argument(help="The project whose images it learns from.", show_default=False)],
    name: Annotated[str, typer.Argument(help="What the model is called.", show_default=False)],
    actor: Actor,
    model_id: Annotated[str | None, typer.Option("--id", help="An id of your own; new by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """6. Name a model of a project and print its id.

    trustflow model create PROJECT "Sequence type" --as ann
    """
    made = play(lambda hub: hub.create_model(project_id, name, model_id=model_id), actor)
    say(as_json, {"model_id": made}, f"{made} is made. Next: trustflow model upload {made} FOLDER --as {actor}")


@app.command()
def upload(
    model_id: ModelId,
    source: Annotated[Path, typer.Argument(help="A folder or zip with trainer.py at its top.", show_default=False)],
    actor: Actor,
    as_json: AsJson = False,
) -> None:
    """7. Upload training code; it is scanned for what cannot run in a sandbox.

    trustflow model upload MODEL ./trainer --as ann
    """

    async def work(hub: Trustflow) -> BundleSubmitted:
        return await hub.upload_bundle(model_id, source)

    submitted = play(work, actor)
    say(
        as_json,
        submitted,
        f"{submitted.sha256}: {submitted.files} files, starts at {submitted.entry_point}. "
        f"Next, an approver: trustflow model approve {model_id} --trust … --as …",
    )


@app.command()
def approve(
    model_id: ModelId, trust: TrustOption, actor: Actor, sha256: Digest = None, as_json: AsJson = False
) -> None:
    """8. Let this code run in your trust: exactly these bytes, by their digest.

    trustflow model approve MODEL --trust amber --as amber-approver
    """

    async def work(hub: Trustflow) -> str:
        digest = sha256 or await _newest(hub, model_id)
        await hub.approve_bundle(model_id, trust, digest)
        return digest

    digest = play(work, actor)
    say(
        as_json,
        {"model_id": model_id, "trust_id": trust, "sha256": digest},
        f"{trust} approved {digest}. Next: trustflow run start {model_id} --trust … --rounds 5 --as …",
    )


@app.command()
def decline(
    model_id: ModelId,
    *,
    trust: TrustOption,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; the project's members read it.", show_default=False)],
    sha256: Digest = None,
    as_json: AsJson = False,
) -> None:
    """Keep this code out of your trust.

    trustflow model decline MODEL --trust amber --reason "It reads more than it needs." --as amber-approver
    """

    async def work(hub: Trustflow) -> str:
        digest = sha256 or await _newest(hub, model_id)
        await hub.decline_bundle(model_id, trust, digest, reason)
        return digest

    digest = play(work, actor)
    say(as_json, {"model_id": model_id, "trust_id": trust, "sha256": digest}, f"{trust} declined {digest}.")


@app.command()
def show(model_id: ModelId, as_json: AsJson = False) -> None:
    """A model's code versions, and who approved each.

    trustflow model show MODEL
    """
    view = play(lambda hub: hub.model(model_id))
    if as_json:
        say_json(view)
    else:
        out.print(f"{view.name} ({view.model_id}), project {view.project_id}, by {view.owner}", markup=False)
        out.print(table("Code", ("sha256", "files", "starts at", "trusts"), map(_row, view.bundles.values())))


async def _newest(hub: Trustflow, model_id: str) -> str:
    digest = (await hub.model(model_id)).newest_bundle
    if digest is None:
        raise NotFound(f"{model_id} has no code yet: trustflow model upload {model_id} FOLDER")
    return digest


def _row(bundle: BundleView) -> tuple[object, ...]:
    said = (
        f"{trust}: {'approved' if decision.approved else 'declined'} by {decision.by}"
        for trust, decision in bundle.decisions.items()
    )
    return (bundle.sha256, bundle.files, bundle.entry_point, bundle.refused or "; ".join(said) or "waiting")
