"""Who may enter: accounts, sessions, alias tokens, and what a role in a project allows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections import Counter
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.xnat.disk import write_json
from infra.xnat.refusal import Refusal, bad_request, conflict, not_found

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.xnat.model import Node

SESSION_IDLE_S = 15 * 60
TOKEN_LIFE_S = 2 * 24 * 3600
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}")
GROUPS = {"owner": "Owners", "member": "Members", "collab": "Collaborators"}


@dataclass(frozen=True, slots=True)
class User:
    """An account; the password is kept as salted scrypt only."""

    login: str
    password: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    enabled: bool = True
    admin: bool = False

    def profile(self) -> dict[str, object]:
        """Return what `/xapi/users/profile/{login}` tells, without the password."""
        told = {"username": self.login, "firstName": self.first_name, "lastName": self.last_name}
        return told | {"email": self.email, "enabled": self.enabled, "verified": True, "admin": self.admin}

    def row(self) -> dict[str, str]:
        """Return how lists of users name this one."""
        return {"login": self.login, "firstname": self.first_name, "lastname": self.last_name, "email": self.email}

    def role(self, project: Node) -> str | None:
        if self.admin:
            return "owner"
        public = project.fields.get("accessibility") == "public"
        return project.members.get(self.login) or ("collab" if public else None)


def hashed(password: str, salt: str) -> str:
    digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**12, r=8, p=1)
    return f"{salt}${digest.hex()}"


class Accounts:
    """The accounts in `users.json`, besides the administrator's, and who is logged in (in memory only)."""

    def __init__(self, root: Path, administrator: User, seconds: Callable[[], float]) -> None:
        self._file = root / "users.json"
        self._seconds = seconds
        self._sessions: dict[str, tuple[str, float]] = {}
        self._tokens: dict[str, tuple[str, str, float]] = {}
        self._proven: dict[str, str] = {}
        self._proof_key = secrets.token_bytes(16)
        stored = json.loads(self._file.read_text()) if self._file.exists() else []
        self._built_in = administrator.login
        self.users = {each["login"]: User(**each) for each in stored} | {administrator.login: administrator}

    def create(self, user: User) -> None:
        if not user.login or not user.password:
            raise bad_request("username, password: both are needed")
        if not _LOGIN.fullmatch(user.login):
            raise bad_request("username: use 1 to 100 letters, digits and _ . @ + -, starting with a letter or digit")
        if user.login in self.users:
            raise conflict("username: it is taken, choose another")
        self._keep(replace(user, password=hashed(user.password, secrets.token_hex(8))))

    def change(self, login: str, **changes: str | bool) -> None:
        if password := str(changes.pop("password", "")):
            changes["password"] = hashed(password, secrets.token_hex(8))
        self._keep(replace(self.get(login), **changes))  # type: ignore[arg-type]  # names checked by the caller
        self._proven.pop(login, None)

    def _keep(self, user: User) -> None:
        self.users[user.login] = user
        write_json(self._file, [asdict(each) for each in self.users.values() if each.login != self._built_in])

    def is_built_in(self, login: str) -> bool:
        """Tell whether it is the administrator that the command line names, who is kept nowhere else."""
        return login == self._built_in

    def get(self, login: str) -> User:
        """Return the user of that login name or e-mail address."""
        found = self.users.get(login) or next((u for u in self.users.values() if u.email == login != ""), None)
        if found is None:
            raise not_found("user: there is none of that name")
        return found

    def check(self, name: str, password: str) -> User:
        """Return whom a name and a password, or an alias and its secret, belong to. Raises 401."""
        login, secret, until = self._tokens.get(name, ("", "", 0.0))
        if login and hmac.compare_digest(secret, password) and self._seconds() < until:
            return self._enabled(login)
        user = self._enabled(name)
        proof = hmac.digest(self._proof_key, password.encode(), "sha256").hex()
        # scrypt takes milliseconds by design; a client with Basic auth would pay them on each request.
        if not hmac.compare_digest(self._proven.get(name, ""), proof):
            if not hmac.compare_digest(user.password, hashed(password, user.password.split("$")[0])):
                raise unknown()
            self._proven[name] = proof
        return user

    def _enabled(self, login: str) -> User:
        user = self.users.get(login)
        if user is None or not user.enabled:
            raise unknown()
        return user

    def check_basic(self, header: str) -> User:
        """Return whom an `Authorization: Basic` header belongs to. Raises 401."""
        try:
            name, _, password = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise unknown() from None
        return self.check(name, password)

    def open_session(self, user: User) -> str:
        session = secrets.token_hex(16).upper()
        while self._sessions and self._is_idle(next(iter(self._sessions.values()))):
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session] = (user.login, self._seconds())
        return session

    def resume(self, session: str) -> User | None:
        """Return whose session it is, if it has not been idle for 15 minutes; using it keeps it open."""
        kept = self._sessions.pop(session, None)
        if kept is None or self._is_idle(kept):
            return None
        # Put back at the end: the session that was idle longest stays the first one.
        self._sessions[session] = (kept[0], self._seconds())
        return self._enabled(kept[0])

    def _is_idle(self, kept: tuple[str, float]) -> bool:
        return self._seconds() - kept[1] > SESSION_IDLE_S

    def close_session(self, session: str) -> None:
        self._sessions.pop(session, None)

    def active(self) -> dict[str, int]:
        """Return how many sessions are open, by login."""
        return Counter(login for login, since in self._sessions.values() if not self._is_idle((login, since)))

    def issue_token(self, user: User) -> tuple[str, str]:
        """Return an alias and its secret, good for two days in place of name and password."""
        alias, secret = str(uuid4()), secrets.token_urlsafe(32)
        self._tokens = {key: token for key, token in self._tokens.items() if self._seconds() < token[2]}
        self._tokens[alias] = (user.login, secret, self._seconds() + TOKEN_LIFE_S)
        return alias, secret

    def token_holder(self, alias: str) -> str:
        """Return whose alias it is. Raises 404 when there is none, or no more."""
        login, _, until = self._tokens.get(alias, ("", "", 0.0))
        if not login or self._seconds() >= until:
            raise not_found("token: there is none of that alias")
        return login

    def withdraw_token(self, alias: str) -> None:
        self._tokens.pop(alias, None)


def unknown() -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, "log in: name and password are not known here")


def group_key(project: Node, name: str) -> str:
    """Return `owner`, `member` or `collab` for a group's ID (`P_member`) or display name (`Members`)."""
    known = {f"{project.id}_{key}": key for key in GROUPS} | {shown: key for key, shown in GROUPS.items()}
    if name not in known:
        raise not_found("group: use Owners, Members or Collaborators")
    return known[name]
