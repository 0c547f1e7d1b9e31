"""A certificate authority of our own, made at set-up, and the broker's certificate that it signs.

An organisation that has an authority gives its own PEM files instead. Profile: RFC 5280; the broker's names are in
subjectAltName (RFC 6125).
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LASTS = timedelta(days=3650)
CERTIFICATE_LASTS = timedelta(days=397)
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authority:
    """``secrets`` keeps what nobody but its owner may read; ``folder`` what the broker and its clients are given."""

    secrets: Path
    folder: Path

    @property
    def certificate_file(self) -> Path:
        """What every client of the broker trusts."""
        return self.folder / "authority.pem"

    @property
    def keystore_file(self) -> Path:
        """The broker's private key and certificate, as Kafka's ``ssl.keystore.type=PEM`` reads them."""
        return self.folder / "broker.pem"

    def ensure(self) -> None:
        """Make what is missing; what is there stays."""
        if not (self.certificate_file.exists() and self._key_file.exists()):
            self._establish()
            self.issue()
        if not self.keystore_file.exists():
            self.issue()

    def issue(self) -> None:
        """Replace the broker's key and certificate; the broker reads them when it starts or is told to."""
        key = generate_private_key(SECP256R1())
        certificate = self._certificate_for(key)
        _write_private(self.keystore_file, _pem(key) + certificate.public_bytes(Encoding.PEM))

    @property
    def _key_file(self) -> Path:
        return self.secrets / "authority-key.pem"

    def _establish(self) -> None:
        key, name = generate_private_key(SECP256R1()), _name("Trustflow authority")
        now = datetime.now(UTC)
        certificate = (
            _builder(name, name, now, AUTHORITY_LASTS)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_may_sign_certificates(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        _write_private(self._key_file, _pem(key))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def _certificate_for(self, key: EllipticCurvePrivateKey) -> x509.Certificate:
        authority = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        signer = load_pem_private_key(self._key_file.read_bytes(), None)
        if not isinstance(signer, EllipticCurvePrivateKey):
            raise TypeError(f"{self._key_file} holds no EC key: remove {self.folder} and start again")
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        return (
            _builder(_name("localhost"), authority.subject, datetime.now(UTC), CERTIFICATE_LASTS)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            # a broker is also a client of other brokers
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(issuer_key, critical=False)
            .sign(signer, SHA256())
        )


def _builder(subject: x509.Name, issuer: x509.Name, now: datetime, lasts: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + lasts)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _may_sign_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_private(file: Path, content: bytes) -> None:
    """All at once, and for its owner only from the first moment."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        written.write(content)
    fresh.replace(file)
