"""The one letter that the node writes: a new account's password, to its owner."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Annotated, Literal

import aiosmtplib
from pydantic import StringConstraints

EmailAddress = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}$")]
"""One plain address: no name beside it, nothing that could end a header's line."""

Security = Literal["starttls", "tls", "none"]
"""How the connection is kept private: by upgrading it, from the start, or not at all (a relay on this machine)."""

TIMEOUT_S = 30.0
SUBJECT = "Your account for research images"
TEXT = """\
An account was made for you in the image archive of this hospital, for a research project that you belong to.

Address:  {address}
Name:     {login}
Password: {password}

Choose a password of your own when you first log in. Nobody else has this one; if the account does not let you in yet,
try again in a few minutes.
"""


class MailFailedError(Exception):
    """The letter did not leave; the text names the kind of error and quotes nothing of the letter."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An SMTP server and the address in whose name we write; `user` and `password` where it asks for them."""

    host: str
    port: int
    security: Security
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    async def welcome(self, to: str, login: str, password: str, address: str) -> None:
        """Send a new account's password; `address` is where the archive is.

        Raises
        ------
        MailFailedError
            When the server did not take the letter.
        """
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, to, SUBJECT
        letter.set_content(TEXT.format(address=address, login=login, password=password))
        try:
            await aiosmtplib.send(
                letter,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            # Its text may quote the server, and that the letter; and the chain would bring it into a log.
            raise MailFailedError(f"mail server {self.host}: {type(error).__name__}") from None
