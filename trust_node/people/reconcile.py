"""Brings the members of an archive's project into line with those of the hub's; asked again, nothing changes."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

from schemas.ids import UserId
from trust_node.imaging.xnat import Xnat, XnatRefusedError
from trust_node.imaging.xnat.users import Account, Users
from trust_node.people.ledger import Ledger
from trust_node.people.mail import Mail, MailFailedError

PASSWORD_BYTES = 24


class Hindrance(StrEnum):
    """Why a member has no access; each is told to the hub by its word alone."""

    NO_ADDRESS = "no_address"
    """The trust's policy file names no e-mail address under ``[people]``."""

    MAIL_OFF = "mail_off"
    """There is no account yet, and its password cannot be sent: the node's settings have no mail server."""

    MAIL_FAILED = "mail_failed"
    """The account waits, disabled, until its password could be sent: with the next attempt."""

    LOGIN_TAKEN = "login_taken"
    """The archive has an account of that name with another address: its administrator must set that right."""

    ACCOUNT_DISABLED = "account_disabled"
    """The archive's administrator has disabled the account, and that counts."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """User ids let in and put out by this call, and why those who should be in are not."""

    added: tuple[UserId, ...]
    removed: tuple[UserId, ...]
    unknown: Mapping[UserId, Hindrance]


@dataclass(slots=True)
class _Reconciling:
    xnat: Xnat
    users: Users
    mail: Mail | None
    accounts: list[Account]
    hindered: dict[UserId, Hindrance] = field(default_factory=dict)

    async def logins(self, members: Iterable[UserId], people: Mapping[UserId, str]) -> dict[UserId, str]:
        """Return the login of each member who has a usable account, made now if need be."""
        found = {member: await self._login(member, people.get(member)) for member in members}
        for member, login in found.items():
            if isinstance(login, Hindrance):
                self.hindered[member] = login
        return {member: login for member, login in found.items() if not isinstance(login, Hindrance)}

    def stays(self, who: UserId, login: str, members: Sequence[UserId], wanted: Mapping[UserId, str]) -> bool:
        """Tell whether whom we let in earlier stays: not without an address, the trust may take that away."""
        told_off = self.hindered.get(who) is Hindrance.NO_ADDRESS
        return who in members and not told_off and wanted.get(who, login) == login

    async def _login(self, member: UserId, address: str | None) -> str | Hindrance:
        if address is None:
            return Hindrance.NO_ADDRESS
        account = self._account(address)
        if account and account.enabled:
            return account.login
        if account and not account.awaits_mail:
            return Hindrance.ACCOUNT_DISABLED
        if self.mail is None:
            return Hindrance.MAIL_OFF
        return await self._welcome(self.mail, account, member, address)

    def _account(self, address: str) -> Account | None:
        """Find whose address this is; one that may enter counts before one that may not."""
        found = [each for each in self.accounts if each.email.casefold() == address.casefold()]
        return max(found, key=lambda account: account.enabled, default=None)

    async def _welcome(self, mail: Mail, account: Account | None, member: UserId, address: str) -> str | Hindrance:
        """Give an account its password, new with each attempt, and open it once the owner has been written to."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        login = account.login if account else member
        if account:
            await self.users.set_password(login, password)
        elif not await self._make(login, address, password):
            return Hindrance.LOGIN_TAKEN
        try:
            await mail.welcome(address, login, password, self.xnat.url)
        except MailFailedError:
            return Hindrance.MAIL_FAILED
        await self.users.open(login)
        return login

    async def _make(self, login: str, address: str, password: str) -> bool:
        """Make an account; return False if the name is another's. One that a lost request of ours made is ours."""
        try:
            await self.users.create(login, address, password)
        except XnatRefusedError as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise
            self.accounts = await self.users.accounts()
            there = self._account(address)
            if there is None or there.login != login or not there.awaits_mail:
                return False
            await self.users.set_password(login, password)
        return True


async def reconcile(
    xnat: Xnat, project: str, members: Sequence[UserId], people: Mapping[UserId, str], mail: Mail | None
) -> Reconciled:
    """Let the members into an XNAT project as its Members, and put out whom Trustflow had let in and who left.

    ``people`` gives e-mail addresses, from the trust's own policy. Owners and whom somebody else added stay as they
    are. Without ``mail`` only people who have an account already are let in.

    Raises
    ------
    XnatUnreachableError, XnatRefusedError
        What was done until then stands; the next call goes on.
    """
    users, ledger = Users(xnat), Ledger(xnat, project)
    work = _Reconciling(xnat, users, mail, await users.accounts())
    wanted = await work.logins(members, people)
    known, present = await ledger.read(), await users.of_project(project)
    stay = {who: login for who, login in known.items() if work.stays(who, login, members, wanted)}
    gone = {who: login for who, login in known.items() if who not in stay}
    new = {who: login for who, login in wanted.items() if login not in present}
    # Written before the deed: a crash between leaves an entry too many, which costs nothing, and never one too few.
    if new.items() - known.items():
        await ledger.write(known | new)
    for login in sorted(set(gone.values()) - set(wanted.values())):
        await users.remove(project, login)
    for login in sorted(set(new.values())):
        await users.add(project, login)
    if gone:
        await ledger.write(stay | new)
    return Reconciled(tuple(sorted(new)), tuple(sorted(gone.keys() - wanted.keys())), work.hindered)
