"""The letter on a guarded line: STARTTLS, TLS, with a name and a password."""

import datetime as dt
import ssl
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.parts.part import free_port
from trust_node.people.mail import Mail, MailFailedError


class Taking:
    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  the handler's name in aiosmtpd
        assert session.authenticated
        self.letters.append(envelope.content.decode())
        return "250 OK"


def known(_server, _session, _envelope, _mechanism, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"node", b"pw"), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(params=["starttls", "tls"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[str, Controller]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    guard = {"ssl_context": context} if request.param == "tls" else {"tls_context": context, "require_starttls": True}
    started = Controller(
        Taking(), hostname="127.0.0.1", port=free_port(), authenticator=known, auth_required=True,
        auth_require_tls=request.param == "starttls", **guard,
    )  # fmt: skip
    started.start()
    yield request.param, started
    started.stop()


def mail(server: tuple[str, Controller], password: str = "pw") -> Mail:
    return Mail("127.0.0.1", server[1].port, server[0], "trust@hospital.example", "node", password)


async def test_a_letter_goes_by_a_guarded_line(server, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await mail(server).welcome("ada@hospital.example", "ada", "its-password", "https://xnat")
    (letter,) = server[1].handler.letters
    assert "its-password" in letter


async def test_a_server_that_cannot_prove_itself_gets_no_letter(server) -> None:
    with pytest.raises(MailFailedError):
        await mail(server).welcome("ada@hospital.example", "ada", "its-password", "https://xnat")
    assert server[1].handler.letters == []


async def test_a_wrong_password_is_a_letter_that_failed(
    server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(MailFailedError, match="SMTPAuthenticationError") as failed:
        await mail(server, "wrong").welcome("ada@hospital.example", "ada", "its-password", "https://xnat")
    assert "wrong" not in str(failed.value)
