"""Whether a run may start: every trust has said yes to this project and to this very code, and has images."""

from collections.abc import Iterable

from bus.errors import Late, Rejection
from schemas.training import Provenance, RunStarted, StartRun
from services.training_coordinator.domain.known import Project, require_member
from services.training_coordinator.domain.models import Bundle, Model
from services.training_coordinator.domain.run import Run


def start(
    run: Run | None, command: StartRun, model: Model | None, project: Project | None, software: dict[str, str]
) -> RunStarted:
    if run is not None:
        raise Rejection("already_exists", "A run of this id exists already: choose another id.")
    if model is None or project is None:
        raise Late("unknown_model", "There is no such model: create it first.")
    require_member(project, command.actor)
    bundle = _bundle(model)
    trusts = tuple(dict.fromkeys(command.trusts))
    evaluate_at = tuple(dict.fromkeys(command.evaluate_at)) or trusts
    _check_quorum(trusts, command.plan.quorum)
    _check_consent(sorted({*trusts, *evaluate_at}), project, bundle)
    return RunStarted(
        run_id=command.run_id,
        model_id=model.model_id,
        project_id=project.project_id,
        bundle_sha256=bundle.sha256,
        trusts=trusts,
        evaluate_at=evaluate_at,
        plan=command.plan,
        provenance=_provenance(command, model, bundle, project, software),
    )


def _bundle(model: Model) -> Bundle:
    if model.bundle is None:
        raise Late("no_bundle", "The model has no code yet: upload a bundle first.")
    return model.bundle


def _check_quorum(trusts: tuple[str, ...], quorum: int) -> None:
    if not trusts:
        raise Rejection("no_trusts", "Name at least one trust to train at.")
    if quorum > len(trusts):
        raise Rejection("quorum_too_high", f"A quorum of {quorum} can't be reached by {len(trusts)} trusts: lower it.")


def _check_consent(trusts: list[str], project: Project, bundle: Bundle) -> None:
    if lacking := _without(trusts, project.approved_by):
        raise Late("project_not_approved", f"The project is not approved by {lacking}: leave them out or ask them.")
    if lacking := _without(trusts, bundle.approved_by):
        raise Late("bundle_not_approved", f"This bundle is not approved by {lacking}: leave them out or ask them.")
    if lacking := _without(trusts, project.archived):
        raise Late("no_images", f"No import has finished at {lacking}: wait for it or leave them out.")
    if lacking := _without(trusts, [trust for trust, count in project.archived.items() if count > 0]):
        raise Rejection("no_images", f"There are no images at {lacking}: retry the import or leave them out.")


def _without(trusts: list[str], having: Iterable[str]) -> str:
    return ", ".join(trust for trust in trusts if trust not in set(having))


def _provenance(
    command: StartRun, model: Model, bundle: Bundle, project: Project, software: dict[str, str]
) -> Provenance:
    trusts = {*command.trusts, *command.evaluate_at}
    return Provenance(
        project_id=project.project_id,
        model_id=model.model_id,
        query_id=project.query_id,
        sql_sha256=project.sql_sha256,
        request_digest=project.request_digest,
        bundle_sha256=bundle.sha256,
        bundle_approved_by=_of(trusts, bundle.approved_by),
        project_approved_by=_of(trusts, project.approved_by),
        cohort_digests=_of(trusts, project.cohort_digests),
        images={},
        isolation={},
        plan=command.plan,
        software={f"hub:{name}": version for name, version in software.items()},
    )


def _of(trusts: set[str], known: dict[str, str]) -> dict[str, str]:
    return {trust: value for trust, value in known.items() if trust in trusts}
