"""What a request's user must be for the routes outside the tree. Raises 404 for what is not theirs to see, else 403."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.xnat.refusal import forbidden, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.xnat.archive import Archive
    from infra.xnat.model import Node
    from infra.xnat.users import User


def administrators_only(request: Request) -> None:
    if not request.state.user.admin:
        raise forbidden("user: only an administrator may do this")


def readable(archive: Archive, user: User, project: str) -> Node:
    found = archive.projects.get(project)
    if found is None or user.role(found) is None:
        raise not_found("project: there is none of that name")
    return found


def writable(archive: Archive, user: User, project: str) -> Node:
    found = readable(archive, user, project)
    if user.role(found) not in {"owner", "member"}:
        raise forbidden("project: your role in it does not allow this, ask an owner")
    return found


def governed(archive: Archive, user: User, project: str) -> Node:
    found = readable(archive, user, project)
    if user.role(found) != "owner":
        raise forbidden("project: only its owners may do this")
    return found
