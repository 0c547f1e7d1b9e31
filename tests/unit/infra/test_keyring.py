import re

from infra.keyring import Keyring


def test_a_key_is_made_once(tmp_path) -> None:
    keys = Keyring(tmp_path / "secrets")
    assert keys.value("kafka-admin") == Keyring(tmp_path / "secrets").value("kafka-admin")
    assert keys.value("kafka-admin") != keys.value("kafka-client")


def test_a_key_is_hexadecimal_so_that_no_configuration_file_needs_to_quote_it(tmp_path) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", Keyring(tmp_path / "secrets").value("objects"))


def test_only_its_owner_may_read_a_key(tmp_path) -> None:
    keys = Keyring(tmp_path / "secrets")
    assert keys.file("objects").stat().st_mode & 0o777 == 0o600
    assert keys.folder.stat().st_mode & 0o777 == 0o700
