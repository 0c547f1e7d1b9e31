"""Where the federation is: from the environment, or from the file that `make up` writes."""

import os
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bus.login import Login
from schemas.topics import ADMINISTRATOR, CLIENT, OPERATOR

ENV_FILE = Path("build/run/env")


class NotRunning(Exception):
    """No federation is known here; the text names the remedy."""


class FederationSettings(BaseSettings):
    """The broker's address and the files that hold the passwords; variables win over the file."""

    model_config = SettingsConfigDict(extra="ignore")

    kafka_bootstrap: str = Field(validation_alias="TRUSTFLOW_KAFKA_BOOTSTRAP")
    client_password_file: Path = Field(
        validation_alias=AliasChoices("TRUSTFLOW_CLIENT_PASSWORD_FILE", "TRUSTFLOW_KAFKA_PASSWORD_FILE")
    )
    operator_password_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("TRUSTFLOW_OPERATOR_PASSWORD_FILE", "KAFKA_OPERATOR_PASSWORD_FILE"),
    )
    admin_password_file: Path | None = Field(default=None, validation_alias="TRUSTFLOW_ADMIN_PASSWORD_FILE")
    kafka_ca_file: Path | None = Field(default=None, validation_alias="TRUSTFLOW_KAFKA_CA_FILE")
    trusts: str = Field(default="", validation_alias="TRUSTFLOW_TRUSTS")
    objects_folder: Path | None = Field(default=None, validation_alias="TRUSTFLOW_OBJECTS_FOLDER")
    metrics: str = Field(default="", validation_alias="TRUSTFLOW_METRICS")
    """Where each participant tells how it is: ``name=url``, separated by commas."""

    databases: str = Field(default="", validation_alias="TRUSTFLOW_DATABASES", repr=False)
    """Of participants whose accounts are to be verified: PostgreSQL URLs, separated by commas."""
    gateway_database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("TRUSTFLOW_GATEWAY_DATABASE_URL", "GATEWAY_DATABASE_URL"),
    )

    def client_login(self) -> Login:
        return Login(self.kafka_bootstrap, CLIENT, _secret(self.client_password_file), self.kafka_ca_file)

    def operator_login(self) -> Login:
        if self.operator_password_file is None:
            raise NotRunning("only the operator reads every topic: set TRUSTFLOW_OPERATOR_PASSWORD_FILE")
        return Login(self.kafka_bootstrap, OPERATOR, _secret(self.operator_password_file), self.kafka_ca_file)

    def admin_login(self) -> Login:
        if self.admin_password_file is None:
            raise NotRunning("only the administrator changes topics and rules: set TRUSTFLOW_ADMIN_PASSWORD_FILE")
        return Login(self.kafka_bootstrap, ADMINISTRATOR, _secret(self.admin_password_file), self.kafka_ca_file)

    def views_database(self) -> str:
        if self.gateway_database_url is None:
            raise NotRunning("views are rebuilt in the gateway's database: set TRUSTFLOW_GATEWAY_DATABASE_URL")
        return self.gateway_database_url.get_secret_value()

    def metrics_urls(self) -> dict[str, str]:
        if not self.metrics:
            raise NotRunning("nobody says where the participants' metrics are: set TRUSTFLOW_METRICS, or `make up`")
        return dict(place.split("=", 1) for place in self.metrics.split(","))

    def known_trusts(self) -> tuple[str, ...]:
        """The trusts of this federation; topics and rules are made for each."""
        if not self.trusts:
            raise NotRunning("no trust is known: set TRUSTFLOW_TRUSTS to their names, with commas between")
        return tuple(self.trusts.split(","))


def federation_settings(here: Path | None = None) -> FederationSettings:
    """Read the environment over the file named by TRUSTFLOW_ENV, or else build/run/env here or in a folder above.

    Raises
    ------
    NotRunning
    """
    file = env_file(here or Path.cwd())
    try:
        return FederationSettings(_env_file=file)
    except ValidationError as error:
        missing = ", ".join(str(fault["loc"][0]) for fault in error.errors())
        if file is None:
            raise NotRunning("no federation is running here: `make up` starts one") from None
        raise NotRunning(f"{file} lacks {missing}: `make up` writes it anew") from None


def env_file(here: Path) -> Path | None:
    named = os.environ.get("TRUSTFLOW_ENV")
    candidates = [Path(named)] if named else [folder / ENV_FILE for folder in (here, *here.parents)]
    return next((file for file in candidates if file.is_file()), None)


def _secret(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        raise NotRunning(f"the password file {file} cannot be read: `make up` writes it") from None
