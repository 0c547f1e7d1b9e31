"""Accounts, sessions and tokens on a clock that the test turns."""

import base64

import pytest

from infra.xnat.model import Node
from infra.xnat.refusal import Refusal
from infra.xnat.users import SESSION_IDLE_S, TOKEN_LIFE_S, Accounts, User, group_key, hashed

ADMINISTRATOR = User("admin", hashed("secret", "salt"), admin=True)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def accounts(tmp_path, clock):
    made = Accounts(tmp_path, ADMINISTRATOR, clock)
    made.create(User("ada", "lovelace", email="ada@example.org"))
    return made


def test_accounts_outlive_the_process_and_hold_no_password(accounts, tmp_path, clock):
    again = Accounts(tmp_path, ADMINISTRATOR, clock)
    assert again.check("ada", "lovelace").email == "ada@example.org"
    stored = (tmp_path / "users.json").read_text()
    assert "lovelace" not in stored
    assert "admin" not in stored.replace('"admin"', "")


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody", "x"), ("", ""), ("ada", "")])
def test_a_wrong_login_is_a_401(accounts, name, password):
    accounts.check("ada", "lovelace")
    with pytest.raises(Refusal) as refused:
        accounts.check(name, password)
    assert refused.value.status == 401


def test_basic_credentials_are_read(accounts):
    header = "Basic " + base64.b64encode(b"ada:lovelace").decode()
    assert accounts.check_basic(header).login == "ada"
    for broken in ("Basic ***", "Basic " + base64.b64encode(b"\xff\xfe").decode()):
        with pytest.raises(Refusal):
            accounts.check_basic(broken)


def test_a_session_ends_after_fifteen_idle_minutes_and_use_keeps_it(accounts, clock):
    session = accounts.open_session(accounts.get("ada"))
    clock.now = SESSION_IDLE_S
    assert accounts.resume(session).login == "ada"
    clock.now = 2 * SESSION_IDLE_S
    assert accounts.resume(session)
    clock.now = 3 * SESSION_IDLE_S + 1
    assert accounts.resume(session) is None


def test_a_closed_session_is_closed(accounts):
    session = accounts.open_session(accounts.get("ada"))
    accounts.close_session(session)
    assert accounts.resume(session) is None


def test_a_disabled_user_is_shut_out_of_an_open_session(accounts):
    session = accounts.open_session(accounts.get("ada"))
    accounts.change("ada", enabled=False)
    with pytest.raises(Refusal):
        accounts.resume(session)


def test_a_new_password_makes_the_old_one_worthless(accounts):
    accounts.check("ada", "lovelace")
    accounts.change("ada", password="byron")
    assert accounts.check("ada", "byron")
    with pytest.raises(Refusal):
        accounts.check("ada", "lovelace")


def test_a_token_stands_for_its_user_until_it_expires(accounts, clock):
    alias, secret = accounts.issue_token(accounts.get("ada"))
    assert accounts.check(alias, secret).login == "ada"
    clock.now = TOKEN_LIFE_S
    with pytest.raises(Refusal):
        accounts.check(alias, secret)


def test_a_name_is_taken_once(accounts):
    with pytest.raises(Refusal) as refused:
        accounts.create(User("ada", "other"))
    assert refused.value.status == 409


def test_a_role_is_what_the_project_says(accounts):
    project = Node("projects", "P", None, members={"ada": "member"})
    assert ADMINISTRATOR.role(project) == "owner"
    assert accounts.get("ada@example.org").role(project) == "member"
    assert User("eve", "x").role(project) is None
    project.fields["accessibility"] = "public"
    assert User("eve", "x").role(project) == "collab"


def test_groups_are_known_by_id_and_by_name():
    project = Node("projects", "P", None)
    assert group_key(project, "P_owner") == group_key(project, "Owners") == "owner"
    with pytest.raises(Refusal):
        group_key(project, "Q_owner")
