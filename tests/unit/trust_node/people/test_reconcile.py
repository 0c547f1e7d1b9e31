"""Members of the hub's project and accounts of the archive, with a real mail sink behind them."""

import logging
import re
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.imaging.xnat.odd import xnat_that
from tests.unit.trust_node.people.accounts import Archive
from trust_node.people.mail import Mail, MailFailedError
from trust_node.people.reconcile import Hindrance, Reconciled, reconcile

if TYPE_CHECKING:
    from email.message import EmailMessage

PEOPLE = {"ada": "ada@hospital.example", "bob": "bob@hospital.example", "cy": "cy@hospital.example"}


class Letters:
    """Takes letters, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refusing = False

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  the handler's name in aiosmtpd
        if self.refusing:
            return "554 no thanks"
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def passwords(self) -> list[str]:
        found = (re.search(r"Password: (\S+)", letter.get_content()) for letter in self.taken)
        return [match.group(1) for match in found if match]


@pytest.fixture(scope="module")
def sink() -> Iterator[Controller]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Letters(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def letters(sink: Controller) -> Letters:
    sink.handler.__init__()
    return sink.handler


@pytest.fixture
def mail(sink: Controller, letters: Letters) -> Mail:
    return Mail("127.0.0.1", sink.port, "none", "trust@hospital.example")


async def settle(
    archive: Archive, members: list[str], mail: Mail | None, people: dict[str, str] = PEOPLE
) -> Reconciled:
    async with xnat_that(archive.answers) as client:
        return await reconcile(client, "p", members, people, mail)


async def test_a_new_member_gets_an_account_by_letter_and_may_enter(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    done = await settle(archive, ["ada"], mail)
    assert (done.added, done.removed, done.unknown) == (("ada",), (), {})
    assert archive.group == {"boss": "Owners", "ada": "Members"}
    (letter,) = letters.taken
    assert (letter["To"], letter["From"]) == ("ada@hospital.example", "trust@hospital.example")
    assert letters.passwords() == [archive.accounts["ada"]["password"]]
    assert archive.accounts["ada"]["enabled"] is True


async def test_asked_again_nothing_changes_and_no_letter_goes(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    await settle(archive, ["ada", "bob"], mail)
    archive.asked.clear()
    assert await settle(archive, ["ada", "bob"], mail) == Reconciled((), (), {})
    assert len(letters.taken) == 2
    assert [line for line in archive.asked if not line.startswith("GET")] == []


async def test_a_member_without_an_address_is_told_by_a_word(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    done = await settle(archive, ["ada", "mallory"], mail)
    assert done.unknown == {"mallory": Hindrance.NO_ADDRESS}
    assert "mallory" not in archive.accounts
    assert len(letters.taken) == 1


async def test_who_has_an_account_is_let_in_under_its_name_without_a_letter(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.has("lovelace", "Ada@Hospital.example")
    assert (await settle(archive, ["ada"], mail)).added == ("ada",)
    assert archive.group["lovelace"] == "Members"
    assert letters.taken == []


async def test_who_leaves_is_put_out_and_others_stay(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.group |= {"guest": "Members", "reader": "Collaborators"}
    await settle(archive, ["ada", "bob"], mail)
    done = await settle(archive, ["bob"], mail)
    assert (done.added, done.removed) == ((), ("ada",))
    expected = {"boss": "Owners", "guest": "Members", "reader": "Collaborators", "bob": "Members"}
    assert archive.group == expected
    assert archive.accounts["ada"]["enabled"] is True  # the account is the person's, other projects may need it


async def test_whom_somebody_else_had_added_is_left_in_the_project(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.has("ada", "ada@hospital.example")
    archive.group["ada"] = "Owners"
    assert (await settle(archive, ["ada"], mail)).added == ()
    assert (await settle(archive, [], mail)).removed == ()
    assert archive.group["ada"] == "Owners"


async def test_whom_the_policy_names_no_more_is_put_out(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    await settle(archive, ["ada"], mail)
    done = await settle(archive, ["ada"], mail, people={})
    assert (done.removed, done.unknown) == (("ada",), {"ada": Hindrance.NO_ADDRESS})
    assert archive.group == {"boss": "Owners"}


async def test_who_gets_another_address_is_let_in_there_and_put_out_here(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.has("a1", "ada@hospital.example")
    archive.has("a2", "ada@other.example")
    await settle(archive, ["ada"], mail)
    await settle(archive, ["ada"], mail, people={"ada": "ada@other.example"})
    assert archive.group == {"boss": "Owners", "a2": "Members"}


async def test_mail_that_is_off_is_told_and_makes_no_account() -> None:
    archive = Archive()
    archive.has("bob", "bob@hospital.example")
    done = await settle(archive, ["ada", "bob"], None)
    assert (done.added, done.unknown) == (("bob",), {"ada": Hindrance.MAIL_OFF})
    assert "ada" not in archive.accounts


async def test_a_letter_that_fails_leaves_the_account_shut_and_is_tried_again_with_another_password(
    mail: Mail, letters: Letters, caplog: pytest.LogCaptureFixture
) -> None:
    archive, letters.refusing = Archive(), True
    caplog.set_level(logging.DEBUG)
    done = await settle(archive, ["ada"], mail)
    first = archive.accounts["ada"]["password"]
    assert done.unknown == {"ada": Hindrance.MAIL_FAILED}
    assert archive.accounts["ada"]["enabled"] is False
    assert "ada" not in archive.group

    letters.refusing = False
    assert (await settle(archive, ["ada"], mail)).added == ("ada",)
    assert letters.passwords() == [archive.accounts["ada"]["password"]] != [first]
    assert archive.accounts["ada"]["enabled"] is True
    logged = " ".join(record.getMessage() for record in caplog.records if record.name != "mail.log")  # the sink's own
    told = logged + "".join(archive.asked) + str(archive.files)
    assert all(password not in told for password in (first, *letters.passwords()))


async def test_an_account_that_the_administrator_disabled_stays_so(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.has("ada", "ada@hospital.example", enabled=False)
    assert (await settle(archive, ["ada"], mail)).unknown == {"ada": Hindrance.ACCOUNT_DISABLED}
    assert archive.accounts["ada"]["enabled"] is False
    assert letters.taken == []


async def test_a_name_that_is_another_s_is_told(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.has("ada", "another.ada@hospital.example")
    assert (await settle(archive, ["ada"], mail)).unknown == {"ada": Hindrance.LOGIN_TAKEN}
    assert letters.taken == []


async def test_an_account_whose_making_was_not_answered_is_ours(mail: Mail, letters: Letters) -> None:
    archive = Archive()
    archive.losing_answers = True
    assert (await settle(archive, ["ada"], mail)).added == ("ada",)
    assert letters.passwords() == [archive.accounts["ada"]["password"]]


@pytest.mark.parametrize(("version", "told"), [("1.8.10", None), ("1.9.2.1", "localdb"), ("1.10.0", "localdb")])
async def test_newer_archives_are_told_how_the_account_logs_in(
    version: str, told: str | None, mail: Mail, letters: Letters
) -> None:
    archive = Archive(version=version)
    await settle(archive, ["ada"], mail)
    assert archive.created[0].get("authorization", {}).get("type") == told


async def test_a_mail_server_that_is_gone_is_an_error_that_quotes_nothing() -> None:
    with pytest.raises(MailFailedError) as failed:
        await Mail("127.0.0.1", 1, "none", "a@b.example").welcome("ada@x.example", "ada", "secret-password", "http://x")
    assert "secret-password" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert "secret" not in repr(Mail("h", 1, "tls", "a@b.example", "u", "secret"))


@given(steps=st.lists(st.tuples(st.sets(st.sampled_from([*PEOPLE, "eve"])), st.booleans()), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
async def test_whatever_happened_before_the_members_are_those_of_the_last_call(
    steps: list[tuple[set[str], bool]], sink: Controller
) -> None:
    archive, letters = Archive(), Letters()
    sink.handler.__dict__.update(letters.__dict__)
    mail = Mail("127.0.0.1", sink.port, "none", "trust@hospital.example")
    for members, refusing in [*steps, (steps[-1][0], False)]:
        sink.handler.refusing = refusing
        await settle(archive, sorted(members), mail)
    assert set(archive.group) == {"boss", *(steps[-1][0] & PEOPLE.keys())}
    assert len(sink.handler.taken) == sum(account["enabled"] for account in archive.accounts.values())
