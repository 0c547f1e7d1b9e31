"""What can't be rotated is refused before anything is touched. Rotation itself: tests/integration/test_tls.py."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.federation import Federation, describe
from infra.keyring import Keyring
from infra.rotation import CannotRotate, rotate_certificate, rotate_password, rotate_signing_key


@pytest.mark.parametrize(
    ("rotate", "remedy"),
    [
        (rotate_certificate, "TLS=1 make up"),
        (lambda here: rotate_password(here, "mallory"), "trust-amber"),
        (lambda here: rotate_signing_key(here, "cedar"), "none of amber"),
    ],
)
def test_there_is_nothing_to_rotate(tmp_path: Path, rotate: Callable[[Federation], None], remedy: str) -> None:
    federation = describe(1, tmp_path)
    with pytest.raises(CannotRotate, match=remedy):
        rotate(federation)
    assert not federation.trust_keys.exists()


def test_a_secret_that_is_replaced_is_as_private_as_before(tmp_path: Path) -> None:
    keys = Keyring(tmp_path / "secrets")
    before = keys.value("kafka-client")
    keys.replace("kafka-client", "another")
    assert keys.value("kafka-client") == "another" != before
    assert stat.S_IMODE(keys.file("kafka-client").stat().st_mode) == 0o600
