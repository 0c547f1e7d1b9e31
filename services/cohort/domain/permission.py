"""Who may ask what of whom."""

from collections.abc import Collection

from bus.errors import Late, Rejection
from services.cohort.domain.state import Project, Query
from services.cohort.domain.versions import digest


def require_member(actor: str, project: Project | None) -> Project:
    """The project, of which the actor is a member; raises Late or Rejection."""
    if project is None:
        raise Late("unknown_project", "There is no such project: create it first.")
    if actor not in project.members:
        raise Rejection("not_a_member", f"{actor} is no member of this project.")
    return project


def require_open(actor: str, project: Project | None) -> Project:
    """As `require_member`, and the project is not closed."""
    member_of = require_member(actor, project)
    if member_of.closed:
        raise Rejection("project_closed", "The project is closed: ask in another one.")
    return member_of


def require_draft(actor: str, project: Project | None) -> None:
    """Until a project is staged its members may ask anything."""
    if not require_open(actor, project).draft:
        raise Rejection(
            "not_draft", "The request is frozen: a staged project asks no other queries; repeat the query of record."
        )


def require_repeatable(actor: str, project: Project | None, earlier: Query) -> None:
    """After staging, only the text that approvers were shown may be asked again."""
    opened = require_open(actor, project)
    if not opened.draft and digest(earlier.sql) != opened.record:
        raise Rejection("not_draft", "The request is frozen: of a staged project only the query of record is repeated.")


def require_known(asked: tuple[str, ...], known: Collection[str]) -> None:
    if not asked or len(set(asked)) != len(asked):
        raise Rejection("no_trusts", "Name at least one trust, each once.")
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise Late("unknown_trust", f"There is no trust named {', '.join(unknown)}.")
