"""What the node must be told of mail and of people, and what it makes of half of it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from trust_node.people.mail import Mail
from trust_node.policy import Policy
from trust_node.settings import Settings

NEEDED = {
    "kafka_bootstrap": "h:1", "kafka_password_file": "/x", "database_url": "postgres://", "http_port": 1,
    "trust_id": "amber", "trust_key_file": "/x", "signing_key_file": "/x", "policy_file": "/x",
    "data_directory": "/x", "warehouse_url": "postgres://", "pacs_host": "h", "pacs_port": 1, "pacs_title": "P",
    "receiver_port": 1, "receiver_title": "R", "xnat_url": "http://x", "xnat_user": "u", "xnat_password_file": "/x",
}  # fmt: skip


def test_mail_is_off_unless_it_is_set_up() -> None:
    assert Settings(**NEEDED).mail_server is None


def test_a_mail_server_is_what_was_set(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pw\n")
    told = {"mail": "starttls", "mail_host": "smtp", "mail_from": "a@b.example", "mail_user": "u"}
    server = Settings(**NEEDED, **told, mail_password_file=tmp_path / "password").mail_server
    assert server == Mail("smtp", 587, "starttls", "a@b.example", "u", "pw")


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"mail": "tls"}, "mail_host"),
        ({"mail": "tls", "mail_host": "h"}, "mail_from"),
        ({"mail": "tls", "mail_host": "h", "mail_from": "a@b.example", "mail_user": "u"}, "mail_password_file"),
        ({"mail": "perhaps"}, "mail"),
        ({"mail_from": "a@b.example\nBcc: all@b.example"}, "mail_from"),
    ],
)
def test_half_of_it_is_an_error_that_names_the_rest(told: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings(**NEEDED, **told)


def test_people_have_plain_addresses(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('approvers = ["ada"]\n[people]\nada = "ada@hospital.example"\n')
    assert Policy.read(file).people == {"ada": "ada@hospital.example"}
    for wrong in ("Ada <ada@hospital.example>", "ada", "a@b@c", "a@b.example\\r\\nBcc: x@y.example", ""):
        file.write_text(f'approvers = ["ada"]\n[people]\nada = "{wrong}"\n')
        with pytest.raises(ValidationError, match=r"people\.ada"):
            Policy.read(file)
