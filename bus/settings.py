"""What every participant must be told, by environment variables named ``TRUSTFLOW_…``."""

from pathlib import Path
from typing import Self

from pydantic import DirectoryPath, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bus.watch.logs import Form


class BusSettings(BaseSettings):
    """Addresses and credentials. Passwords come from files, never from the command line.

    ``member`` tells processes apart that share one group and one database. ``inbox_days``: for so long is the same
    message, sent again, known to be the same. ``log`` as ``text`` is for a terminal.
    """

    model_config = SettingsConfigDict(env_prefix="TRUSTFLOW_", extra="ignore")

    kafka_bootstrap: str
    kafka_password_file: Path
    kafka_ca_file: Path | None = None
    database_url: SecretStr
    http_host: str = "127.0.0.1"
    http_port: int
    member: int = Field(default=0, ge=0)
    inbox_days: float = Field(default=90.0, gt=0)
    log: Form = "json"

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment; raises pydantic's ValidationError naming the variables that are missing."""
        return cls()

    @property
    def kafka_password(self) -> str:
        return self.kafka_password_file.read_text().strip()


class HubSettings(BusSettings):
    """``trust_keys`` is the folder of the trusts' public keys, ``<trust>.pem``: nothing they say counts without."""

    trust_keys: DirectoryPath
