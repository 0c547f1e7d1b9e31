"""How anybody logs in to the broker: SCRAM-SHA-512 (RFC 5802), behind TLS where the broker's authority is known."""

import ssl
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Login:
    """``ca_file`` holds the PEM certificates that vouch for the broker; without it the connection is plain TCP."""

    bootstrap: str
    principal: str
    password: str = field(repr=False)
    ca_file: Path | None = None

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        return trusting(self.ca_file) if self.ca_file else None

    def options(self) -> dict[str, Any]:
        """Return what every aiokafka client needs to log in."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL" if self.ca_file else "SASL_PLAINTEXT",
            "ssl_context": self.ssl_context,
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.principal,
            "sasl_plain_password": self.password,
        }


@cache
def trusting(ca_file: Path) -> ssl.SSLContext:
    """Trust these authorities and no others; host names are checked."""
    return ssl.create_default_context(cafile=str(ca_file))
