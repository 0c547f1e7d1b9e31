"""PostgreSQL: a private cluster on the loopback interface, passwords always asked, every commit on disk."""

import os
import re
import socket
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from infra.parts.part import START_TIMEOUT_S, wait_until

SUPERUSER = "postgres"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Postgres:
    directory: Path
    port: int
    password: str = field(repr=False)
    name: str = "postgres"
    # SIGTERM would wait for every client to leave by itself.
    stop_signal: Signals = Signals.SIGINT

    @property
    def command(self) -> list[str]:
        return [*_unprivileged(), str(_binaries() / "postgres"), "-D", str(self._data)]

    @property
    def env(self) -> Mapping[str, str]:
        return {"LC_ALL": "C.UTF-8"}

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            self._initdb()
        (self._data / "postgresql.auto.conf").write_text(self._configuration())
        (self._data / "pg_hba.conf").write_text(
            f"host all all 127.0.0.1/32 scram-sha-256\nhost replication {SUPERUSER} 127.0.0.1/32 scram-sha-256\n"
        )

    def follow(self, primary: "Postgres") -> None:
        """Become a streaming replica of a cluster that runs; once, before this one is prepared.

        Raises
        ------
        RuntimeError
            The primary could not be copied; the text is the server's.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        copy = [
            *_unprivileged(), str(_binaries() / "pg_basebackup"), "-D", str(self._data), "-R", "-c", "fast",
            "-d", f"postgresql://{SUPERUSER}@127.0.0.1:{primary.port}",
        ]  # fmt: skip
        environment = {**os.environ, "PGPASSWORD": primary.password}
        done = subprocess.run(copy, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pg_basebackup failed:\n{done.stderr[-2000:]}")
        # `prepare` writes the other file anew, and -R has named the primary there.
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write((self._data / "postgresql.auto.conf").read_text())

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        wait_until(lambda: _asks_for_password(self.port), self, timeout_s)

    def dsn(self, database: str, role: str = SUPERUSER, password: str | None = None) -> str:
        return f"postgresql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def ensure_role(self, role: str, password: str) -> None:
        """Create the login role where it is missing, and set its password."""
        missing = f"where not exists (select from pg_roles where rolname = '{_checked(role)}')"
        self.execute(f"select 'create role {role} login' {missing} \\gexec\n alter role {role} password '{password}'")

    def ensure_database(self, database: str, owner: str = SUPERUSER) -> None:
        """Create the database where it is missing; nobody but its owner may connect to it."""
        missing = f"where not exists (select from pg_database where datname = '{_checked(database)}')"
        create = f"select 'create database {database} owner {_checked(owner)}' {missing} \\gexec\n"
        self.execute(f"{create} revoke connect on database {database} from public")

    def execute(self, sql: str, database: str = SUPERUSER) -> str:
        """Run statements as the superuser and return psql's bare rows.

        Raises
        ------
        RuntimeError
            The server refused the statement; the text is the server's.
        """
        psql = [
            str(_binaries() / "psql"),
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            self._passwordless(database),
        ]
        done = subprocess.run(
            psql,
            input=sql,
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _passwordless(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def _initdb(self) -> None:
        secret = self.directory / "superuser"
        secret.touch(0o600)
        secret.write_text(self.password)
        initdb = [
            *_unprivileged(), str(_binaries() / "initdb"), "-D", str(self._data), "-U", SUPERUSER,
            "--pwfile", str(secret), "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8",
        ]  # fmt: skip
        done = subprocess.run(initdb, capture_output=True, text=True, check=False)
        secret.unlink()
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{done.stderr[-2000:]}")

    def _configuration(self) -> str:
        return (
            f"port = {self.port}\n"
            "listen_addresses = '127.0.0.1'\n"
            "unix_socket_directories = ''\n"
            "password_encryption = 'scram-sha-256'\n"
            "max_connections = 200\n"
            "shared_buffers = '128MB'\n"
            "max_wal_size = '512MB'\n"
            "wal_compression = on\n"
            "jit = off\n"
            "timezone = 'UTC'\n"
        )


def _binaries() -> Path:
    """Return the folder of the newest PostgreSQL that Debian has put on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        raise FileNotFoundError("PostgreSQL's server is missing: run `make setup`")
    return found[-1].parent


def _unprivileged() -> list[str]:
    # PostgreSQL refuses to run as root; in a user namespace of its own it sees itself as user 1000.
    return ["unshare", "--user", "--map-user=1000"] if os.geteuid() == 0 else []


def _asks_for_password(port: int) -> bool:
    """Start a session; a server that is ready answers `R` (authentication), one that still recovers answers `E`."""
    startup = struct.pack(">i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    with socket.create_connection(("127.0.0.1", port), timeout=1) as server:
        server.sendall(struct.pack(">i", len(startup) + 4) + startup)
        return server.recv(1) == b"R"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no plain PostgreSQL name: use a-z, 0-9 and _")
    return name
