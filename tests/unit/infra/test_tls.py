"""The authority made at set-up, and the broker's certificate."""

import stat
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from infra.environment import node_env, service_env, write_shell_files
from infra.federation import describe, remembered
from infra.tls import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "secrets", tmp_path / "certificates")
    made.ensure()
    return made


def certificates(authority: Authority) -> tuple[x509.Certificate, x509.Certificate]:
    """The authority's, and the broker's."""
    return tuple(
        x509.load_pem_x509_certificate(file.read_bytes())
        for file in (authority.certificate_file, authority.keystore_file)
    )


def test_the_brokers_certificate_is_signed_by_the_authority_for_this_machine(authority: Authority) -> None:
    root, broker = certificates(authority)
    broker.verify_directly_issued_by(root)
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1")]
    assert broker.not_valid_after_utc - broker.not_valid_before_utc < timedelta(days=398)


def test_only_the_authority_may_sign_certificates_and_none_below_it_may(authority: Authority) -> None:
    root, broker = certificates(authority)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    assert not broker.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    key = broker.public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    assert isinstance(key.curve, SECP256R1)


def test_what_was_made_once_stays(authority: Authority) -> None:
    before = certificates(authority)
    authority.ensure()
    assert certificates(authority) == before
    authority.issue()
    (root, old), (same, new) = before, certificates(authority)
    assert same == root
    assert new.serial_number != old.serial_number
    assert new.public_key() != old.public_key()


def test_keys_are_for_their_owner_only(authority: Authority) -> None:
    for file in (authority.keystore_file, authority.secrets / "authority-key.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_authority_whose_key_was_lost_is_made_anew_with_the_brokers_certificate(authority: Authority) -> None:
    (authority.secrets / "authority-key.pem").unlink()
    authority.ensure()
    root, broker = certificates(authority)
    broker.verify_directly_issued_by(root)


def test_with_tls_everybody_is_told_whom_to_trust_and_without_it_nobody(tmp_path: Path) -> None:
    federation = describe(1, tmp_path, tls=True)
    assert remembered(tmp_path) == federation
    told = str(federation.ca_file)
    assert service_env(federation, "project")["TRUSTFLOW_KAFKA_CA_FILE"] == told
    assert node_env(federation, "amber")["TRUSTFLOW_KAFKA_CA_FILE"] == told
    assert told in write_shell_files(federation).read_text()
    assert "SASL_SSL" in (tmp_path / "kcat-operator.conf").read_text()
    plain = describe(1, tmp_path)
    assert remembered(tmp_path) == plain
    assert plain.login("client").options()["security_protocol"] == "SASL_PLAINTEXT"
    assert "TRUSTFLOW_KAFKA_CA_FILE" not in node_env(plain, "amber")
