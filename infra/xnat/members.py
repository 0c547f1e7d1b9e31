"""Who belongs to a project, and what its owner may set."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from infra.xnat.refusal import Refusal, bad_request, forbidden, not_found, not_served
from infra.xnat.users import GROUPS, group_key

if TYPE_CHECKING:
    from infra.xnat.address import Place
    from infra.xnat.archive import Archive
    from infra.xnat.model import Node
    from infra.xnat.users import Accounts, User

SETTINGS = {"accessibility": "private", "prearchive_code": "4", "quarantine_code": "0", "current_arc": "arc001"}
_READING = {"GET", "HEAD"}


def check_access(user: User, place: Place, method: str) -> None:
    """Raise 404 when the project is not the user's to see, 403 when the role does not allow the deed."""
    project = place.project()
    if project is None:
        return
    role = user.role(project)
    if role is None:
        raise not_found("project: there is none of that name")
    owners_only = place.last.collection in {"projects", "users", *SETTINGS}
    if method not in _READING and role != "owner" and (owners_only or role != "member"):
        raise forbidden("project: your role in it does not allow this, ask an owner")


def rows(accounts: Accounts, project: Node) -> list[dict[str, str]]:
    return [_row(accounts, project, login, key) for login, key in sorted(project.members.items())]


def _row(accounts: Accounts, project: Node, login: str, key: str) -> dict[str, str]:
    user = accounts.users.get(login)
    return {"GROUP_ID": f"{project.id}_{key}", "displayname": GROUPS[key], "login": login} | (
        user.row() if user else {}
    )


def add(archive: Archive, accounts: Accounts, place: Place) -> None:
    key, login, project = _named(accounts, place)
    archive.set_members(project, project.members | {login: key})


def remove(archive: Archive, accounts: Accounts, place: Place) -> None:
    key, login, project = _named(accounts, place)
    if project.members.get(login) != key:
        raise not_found("user: is not in that group")
    archive.set_members(project, {who: k for who, k in project.members.items() if who != login})


def _named(accounts: Accounts, place: Place) -> tuple[str, str, Node]:
    group, _, login = (place.last.name or "").partition("/")
    if not login:
        raise bad_request("address: give users/{group}/{login}")
    project = place.parent()
    return group_key(project, group), accounts.get(login).login, project


def setting(place: Place) -> str:
    return place.parent().fields.get(place.last.collection, SETTINGS[place.last.collection])


def set_setting(archive: Archive, place: Place) -> None:
    name, value = place.last.collection, place.last.name or ""
    if name == "current_arc":
        raise not_served("current_arc: there is one folder for all projects, and it is set at start")
    allowed = value.isdecimal() if name.endswith("_code") else value in {"private", "protected", "public"}
    if not allowed:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name}: that value is not known")
    archive.update(place.parent(), {name: value})
