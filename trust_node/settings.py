"""What a trust node must be told: where the hub's broker and the hospital's own systems are."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.ids import TrustId
from trust_node.cohort.settings import WarehouseSettings
from trust_node.imaging.receiver.receiver import INSIDE
from trust_node.people.mail import EmailAddress, Mail, Security


class Settings(WarehouseSettings):
    """``trust_key_file`` holds the secret from which all pseudonyms of this trust are drawn; it never leaves.

    ``signing_key_file`` holds the Ed25519 key that signs what this trust says, made at the first start.

    ``pacs_way``: how images come, by C-MOVE, C-GET or DICOMweb; only the last needs ``pacs_web_url``, which ends where
    ``/studies`` begins. ``pacs_web_authorization_file`` holds that header's whole value (``Bearer …``, ``Basic …``).
    ``receiver_networks``: from where images may be sent (a JSON list in the environment); private networks by default.
    ``mail``: how new accounts of the trust's XNAT get their passwords sent. ``off``: they get none, and the hub is told
    ``mail_off`` of each person concerned. Else ``mail_host`` and ``mail_from`` are needed.
    ``pacs_stall_seconds``: a study of which nothing comes for so long is given up.
    """

    trust_id: TrustId
    trust_key_file: Path
    signing_key_file: Path
    policy_file: Path
    data_directory: Path
    pacs_host: str
    pacs_port: int
    pacs_title: str
    pacs_way: Literal["move", "get", "web"] = "move"
    pacs_stall_seconds: float = Field(default=120.0, gt=0)
    pacs_web_url: str | None = None
    pacs_web_authorization_file: Path | None = None
    pacs_web_ca_file: Path | None = None
    receiver_host: str = "127.0.0.1"
    receiver_port: int
    receiver_title: str
    receiver_networks: tuple[str, ...] = INSIDE
    xnat_url: str
    xnat_user: str
    xnat_password_file: Path
    mail: Literal["off"] | Security = "off"
    mail_host: str | None = None
    mail_port: int = 587
    mail_from: EmailAddress | None = None
    mail_user: str | None = None
    mail_password_file: Path | None = None

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.mail != "off" and not (self.mail_host and self.mail_from):
            raise ValueError("mail_host, mail_from: both are needed unless mail is off")
        if bool(self.mail_user) != bool(self.mail_password_file):
            raise ValueError("mail_user, mail_password_file: give both or neither")
        return self

    @property
    def mail_server(self) -> Mail | None:
        """Where to send letters, None if mail is off."""
        if self.mail == "off" or self.mail_host is None or self.mail_from is None:
            return None
        password = self.mail_password_file.read_text().strip() if self.mail_password_file else None
        return Mail(self.mail_host, self.mail_port, self.mail, self.mail_from, self.mail_user, password)

    @property
    def trust_key(self) -> bytes:
        return self.trust_key_file.read_text().strip().encode()

    @property
    def pacs_web_authorization(self) -> str | None:
        file = self.pacs_web_authorization_file
        return file.read_text().strip() if file else None

    @property
    def xnat_password(self) -> str:
        return self.xnat_password_file.read_text().strip()

    @property
    def content_directory(self) -> Path:
        return self.data_directory / "content"
