"""`trustflow project`: from a draft to each trust's own decision."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group

from client.sdk import Trustflow
from client.terminal import Actor, AsJson, out, play, say, say_json, table
from schemas.deid import DeidWish
from schemas.sql.judge import Frame, Listing, judge
from schemas.sql.refusal import Refused
from schemas.sql.tabulation import Tabulation
from schemas.views import ProjectView

app = typer.Typer(no_args_is_help=True, help="Draft a request, ask trusts for it, decide on it.")

ProjectId = Annotated[str, typer.Argument(help="The project's id.", show_default=False)]
TrustOption = Annotated[str, typer.Option("--trust", help="The trust you decide for.", show_default=False)]
DeidOptions = Annotated[
    list[str] | None,
    typer.Option("--deid-option", help="An option of PS3.15 annex E to ask for, such as retain_device_identity."),
]
DeidScript = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A DicomEdit 6 script to run after the profile."),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the project is called.", show_default=False)],
    *,
    actor: Actor,
    description: Annotated[str, typer.Option(help="What it is for; approvers read this.")] = "",
    nifti: Annotated[bool, typer.Option(help="Convert the images to NIfTI after import.")] = True,
    deid_option: DeidOptions = None,
    deid_script: DeidScript = None,
    project_id: Annotated[str | None, typer.Option("--id", help="An id of your own; new by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """1. Make a draft project and print its id.

    trustflow project create "Prostate MR" --as ann
    """

    async def work(hub: Trustflow) -> str:
        deid = _wish(deid_option, deid_script)
        return await hub.create_project(
            name, description=description, dicom_to_nifti=nifti, deid=deid, project_id=project_id
        )

    made = play(work, actor)
    say(as_json, {"project_id": made}, f"{made} is a draft. Next: trustflow cohort query {made} --trust … --sql …")


@app.command()
def edit(
    project_id: ProjectId,
    *,
    actor: Actor,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    description: Annotated[str | None, typer.Option(help="A new description.")] = None,
    nifti: Annotated[bool | None, typer.Option(help="Convert to NIfTI or not.")] = None,
    deid_option: DeidOptions = None,
    deid_script: DeidScript = None,
    as_json: AsJson = False,
) -> None:
    """Change a draft; what you leave out stays.

    trustflow project edit ID --name "Prostate MR, 3 T" --as ann
    """

    async def work(hub: Trustflow) -> None:
        deid = _wish(deid_option, deid_script)
        await hub.edit_project(project_id, name=name, description=description, dicom_to_nifti=nifti, deid=deid)

    play(work, actor)
    say(as_json, {"project_id": project_id}, f"{project_id} is changed.")


def _wish(options: list[str] | None, script: Path | None) -> DeidWish | None:
    """What is asked of de-identification, None where nothing is; options nobody knows are refused by name."""
    if not options and script is None:
        return None
    return DeidWish.model_validate({"options": options or (), "script": script.read_text() if script else None})


@app.command()
def add_member(
    project_id: ProjectId,
    member: Annotated[str, typer.Argument(help="The user to add.", show_default=False)],
    actor: Actor,
    as_json: AsJson = False,
) -> None:
    """Let another user work on a draft.

    trustflow project add-member ID bea --as ann
    """
    play(lambda hub: hub.add_member(project_id, member), actor)
    say(as_json, {"project_id": project_id, "member": member}, f"{member} is a member of {project_id}.")


@app.command()
def stage(
    project_id: ProjectId,
    actor: Actor,
    query: Annotated[str, typer.Option(help="The cohort query of record.", show_default=False)],
    trust: Annotated[list[str], typer.Option(help="A trust to ask; give it once for each.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """3. Freeze the request and ask trusts for their approval.

    trustflow project stage ID --query QUERY --trust amber --trust birch --as ann
    """
    play(lambda hub: hub.stage(project_id, query, trust), actor)
    value = {"project_id": project_id, "query_id": query, "trusts": trust}
    say(
        as_json,
        value,
        f"{project_id} is staged. Next, an approver: trustflow project approve {project_id} --trust {trust[0]} --as …",
    )


@app.command()
def approve(project_id: ProjectId, trust: TrustOption, actor: Actor, as_json: AsJson = False) -> None:
    """4. Approve the staged request for your trust; its import begins.

    trustflow project approve ID --trust amber --as amber-approver
    """
    play(lambda hub: hub.approve(project_id, trust), actor)
    say(
        as_json,
        {"project_id": project_id, "trust_id": trust},
        f"{trust} approved. Next: trustflow import watch {project_id}",
    )


@app.command()
def decline(
    project_id: ProjectId,
    trust: TrustOption,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; the project's members read it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Decline the staged request for your trust.

    trustflow project decline ID --trust amber --reason "Ethics approval is missing." --as amber-approver
    """
    play(lambda hub: hub.decline(project_id, trust, reason), actor)
    say(as_json, {"project_id": project_id, "trust_id": trust}, f"{trust} declined.")


@app.command()
def withdraw(
    project_id: ProjectId,
    trust: TrustOption,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why; the project's members read it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Take your trust's approval back: its images of the project are removed, with a signed proof.

    trustflow project withdraw ID --trust amber --reason "The ethics approval has ended." --as amber-approver
    """
    play(lambda hub: hub.withdraw(project_id, trust, reason), actor)
    say(as_json, {"project_id": project_id, "trust_id": trust}, f"{trust} withdrew; its images go.")


@app.command()
def close(project_id: ProjectId, actor: Actor, as_json: AsJson = False) -> None:
    """End your project: every trust removes its images, with a signed proof.

    trustflow project close ID --as ann
    """
    play(lambda hub: hub.close(project_id), actor)
    say(as_json, {"project_id": project_id}, f"Closed. Next: trustflow import status {project_id}")


@app.command()
def show(project_id: ProjectId, as_json: AsJson = False) -> None:
    """Where a project stands, and what each trust decided.

    trustflow project show ID
    """
    view = play(lambda hub: hub.project(project_id))
    if as_json:
        say_json(view)
    else:
        out.print(_picture(view))


@app.command("list")
def every(as_json: AsJson = False) -> None:
    """Every project there is.

    trustflow project list
    """
    views = play(lambda hub: hub.projects())
    if as_json:
        for view in views:
            say_json(view)
    else:
        rows = [(view.project_id, view.name, view.status, view.owner) for view in views]
        out.print(table("Projects", ("id", "name", "status", "owner"), rows))


def _picture(view: ProjectView) -> Group:
    facts = table(
        f"Project {view.name}",
        ("fact", "value"),
        [
            ("id", view.project_id),
            ("status", view.status),
            ("owner", view.owner),
            ("members", ", ".join(view.members)),
            ("description", view.description),
            ("NIfTI", "yes" if view.dicom_to_nifti else "no"),
            ("query", view.query_id or "none yet"),
            *_query_of_record(view),
        ],
    )
    return Group(facts, table("Trusts", ("trust", "decision", "by", "reason", "cohort"), _decisions(view)))


def _query_of_record(view: ProjectView) -> list[tuple[object, ...]]:
    """What a trust is asked to approve: which cohort, what becomes of its rows, and the text itself."""
    if view.sql is None:
        return []
    named = [("cohort", f"{view.cohort}, version {view.version}")] if view.cohort else []
    made_from = [("criteria", view.criteria)] if view.criteria else []
    return [*named, ("its rows", _use(view.sql)), ("SQL", view.sql), *made_from]


def _use(sql: str) -> str:
    match judge(sql):
        case Listing():
            return "a list of persons or images; it stays in the trust, which fixes who is in"
        case Frame() as frame:
            return f"a training frame ({', '.join(frame.names)}); only the code in the trust's sandbox reads it"
        case Tabulation():
            return "counts of persons; it names nobody whose images could be fetched"
        case Refused() as refused:
            return f"refused here ({refused.code}); the trust judges for itself"


def _decisions(view: ProjectView) -> list[tuple[object, ...]]:
    return [
        (trust, "approved" if said.approved else "declined", said.by, said.reason, view.frozen.get(trust, ""))
        if (said := view.decisions.get(trust))
        else (trust, "waiting", "", "", "")
        for trust in view.trusts
    ]
