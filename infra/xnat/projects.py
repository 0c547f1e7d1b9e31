"""The list of projects, which the query may narrow to those in which the asking user has a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.xnat import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.xnat.model import Node
    from infra.xnat.selecting import Row
    from infra.xnat.users import User

_ROLES = {"owner": "owner", "member": "member", "collaborator": "collab"}


def rows(projects: Iterable[Node], user: User, query: Mapping[str, str]) -> list[Row]:
    """Return the visible projects; `owner=true`, `member=true` and `collaborator=true` ask for a membership."""
    asked = {key for said, key in _ROLES.items() if query.get(said) == "true"}
    return [answers.row_of(each) for each in projects if not asked or each.members.get(user.login) in asked]
