"""Accounts of the archive and who may see a project (`/xapi/users`, `/data/projects/{p}/users`)."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from trust_node.imaging.xnat.client import Xnat
from trust_node.imaging.xnat.errors import XnatRefusedError

WANTS_AUTHORIZATION = (1, 9)
"""Since this version a new account must name how it logs in."""

AWAITING = "(awaits first mail)"
GREETED = "(Trustflow)"
"""An account's last name, before and after its password was sent to its owner: the archive has no other free field."""


@dataclass(frozen=True, slots=True)
class Account:
    """``awaits_mail``: we made it, and its owner has no password yet."""

    login: str
    email: str
    enabled: bool
    awaits_mail: bool


@dataclass(frozen=True, slots=True)
class Users:
    """The node's own XNAT account must be an administrator's to make others."""

    xnat: Xnat

    async def accounts(self) -> list[Account]:
        """Return all accounts, sorted by login."""
        rows = await self.xnat.wire.document("/xapi/users/profiles")
        accounts = (
            Account(row["username"], row.get("email") or "", bool(row["enabled"]), row.get("lastName") == AWAITING)
            for row in rows
        )
        return sorted(accounts, key=lambda account: account.login)

    async def create(self, login: str, email: str, password: str) -> None:
        """Make an account that nobody can use yet; raises XnatRefusedError (409) if the login is taken."""
        profile = {
            "username": login,
            "password": password,
            "firstName": login,
            "lastName": AWAITING,
            "email": email,
            "enabled": False,
            "verified": True,
        }
        if await self._version() >= WANTS_AUTHORIZATION:
            profile["authorization"] = {"type": "localdb"}
        await self.xnat.wire.send("POST", "/xapi/users", content=profile)

    async def set_password(self, login: str, password: str) -> None:
        await self._change(login, {"password": password})

    async def open(self, login: str) -> None:
        """Let its owner in, who has the password now."""
        await self._change(login, {"lastName": GREETED, "enabled": True})

    async def of_project(self, project: str) -> set[str]:
        """Return the logins of all who belong to the project, whatever their role."""
        return {row["login"] for row in await self.xnat.wire.rows(f"{_users(project)}")}

    async def add(self, project: str, login: str) -> None:
        """Make the account a member, who may read and write the project's data."""
        await self.xnat.wire.send("PUT", f"{_users(project)}/Members/{quote(login)}")

    async def remove(self, project: str, login: str) -> None:
        """Take membership away; who is no member is no error."""
        try:
            await self.xnat.wire.send("DELETE", f"{_users(project)}/Members/{quote(login)}")
        except XnatRefusedError as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    async def _change(self, login: str, changes: dict[str, str | bool]) -> None:
        await self.xnat.wire.send("PUT", f"/xapi/users/{quote(login)}", content=changes)

    async def _version(self) -> tuple[int, ...]:
        told = await self.xnat.wire.document("/xapi/siteConfig/buildInfo")
        return tuple(int(part) for part in str(told["version"]).split(".")[:2] if part.isdecimal())


def _users(project: str) -> str:
    return f"/data/projects/{quote(project)}/users"
