"""What enters a participant's account, and who can't take part without keys."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bus.decode import read_envelope
from bus.participant import Participant
from bus.proof.audit import Entry, digest
from bus.proof.sealing import witnesses
from bus.proof.signing import KEY_ID, SIGNATURE, Author, Signer
from bus.router import Router
from bus.settings import BusSettings, HubSettings
from bus.taken import Taken, take
from bus.uow import UnitOfWork, flush
from schemas.audit import HeadSealed, TrustHeadSealed
from schemas.envelope import Envelope
from schemas.message import Message
from schemas.project import CreateProject, ProjectActivated
from schemas.trust import CohortCounted, CountCohort
from tests.unit.bus.recorded import NOW, FakeConnection, record_of

CREATE = CreateProject(actor="ada", project_id="p1", name="Knees")
ORDER = CountCohort(trust_id="amber", query_id="q1", project_id="p1", sql="select 1")
COUNTED = CohortCounted(trust_id="amber", query_id="q1", project_id="p1", outcome="counted", persons=120)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.open(tmp_path / "signing.pem")


def taken(message: Message) -> Taken:
    return take(record_of(message), Router())


def test_of_a_command_the_person_is_told_and_of_an_order_the_service() -> None:
    command, order = taken(CREATE).entry("accepted", NOW), taken(ORDER).entry("taken", NOW)
    assert command == Entry(NOW, "ada", CREATE.type, "p1", "accepted", "e1", digest(CREATE.to_bytes()))
    assert order == Entry(NOW, "/cohort", ORDER.type, "q1", "taken", "e1", digest(ORDER.to_bytes()))


def test_a_command_that_cannot_be_read_is_told_of_its_sender() -> None:
    entry = take(replace(record_of(CREATE), value=b"{"), Router()).entry("put_aside:invalid_payload", NOW)
    assert entry is not None
    assert (entry.actor, entry.outcome, entry.digest) == ("/client", "put_aside:invalid_payload", digest(b"{"))


def test_events_are_not_told_nor_what_has_no_envelope() -> None:
    assert taken(ProjectActivated(project_id="p1")).entry("applied", NOW) is None
    assert take(replace(record_of(CREATE), headers=[]), Router()).entry("put_aside:malformed", NOW) is None


def test_a_trust_tells_what_it_says_with_the_digest_of_what_it_signed(signer: Signer) -> None:
    uow = UnitOfWork(None, Author("trust-amber", signer), NOW)
    uow.emit(COUNTED)
    (row,), (entry,) = uow.outbox, uow.entries
    assert (entry.actor, entry.outcome, entry.digest) == ("/trust-amber", "said", digest(row.value))
    assert {KEY_ID, SIGNATURE} <= dict(row.headers).keys()


def test_the_head_of_an_account_is_signed_and_not_told_itself(signer: Signer) -> None:
    uow = UnitOfWork(None, Author("trust-amber", signer), NOW)
    uow.emit(TrustHeadSealed(trust_id="amber", seq=1, hash="ab" * 32))
    assert uow.entries == []
    assert SIGNATURE in dict(uow.outbox[0].headers)


def test_a_service_neither_signs_nor_tells_what_it_says() -> None:
    uow = UnitOfWork(None, Author("project"), NOW)
    uow.emit(ProjectActivated(project_id="p1"))
    assert uow.entries == []
    assert SIGNATURE not in dict(uow.outbox[0].headers)


async def test_a_batch_is_told_by_one_insert_in_its_order() -> None:
    connection = FakeConnection()
    uows = [UnitOfWork(connection, Author("project"), NOW) for _ in range(3)]
    for number, uow in enumerate(uows):
        uow.tell(Entry(NOW, "ada", CREATE.type, f"p{number}", "accepted", f"e{number}", "00"))
    await flush(*uows)
    seqs, _, _, _, subjects, *_ = connection.told
    assert (seqs, subjects) == ([1, 2, 3], ["p0", "p1", "p2"])


async def test_where_nothing_was_decided_nothing_is_told() -> None:
    connection = FakeConnection()
    await flush(UnitOfWork(connection, Author("project"), NOW))
    assert (connection.told, connection.rows) == ([], [])


@pytest.mark.parametrize(("source", "kept"), [("/project", True), ("/cohort", False)])
async def test_a_head_is_kept_from_whose_account_it_is_of_only(source: str, kept: bool) -> None:
    cause = read_envelope(record_of(HeadSealed(participant="project", seq=1, hash="ab" * 32), source=source.encode()))
    assert isinstance(cause, Envelope)
    connection = FakeConnection()
    handler = witnesses.handler(HeadSealed.type)
    assert handler
    uow = UnitOfWork(connection, Author("cohort"), NOW, cause)
    await handler(HeadSealed(participant="project", seq=1, hash="ab" * 32), uow)
    assert bool(connection.told) is kept


def settings(tmp_path: Path) -> dict[str, object]:
    return {
        "kafka_bootstrap": "x:1",
        "kafka_password_file": tmp_path,
        "database_url": "postgresql://x",
        "http_port": 1,
    }


def test_a_trust_without_a_key_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no key to sign with"):
        Participant("trust-amber", BusSettings(**settings(tmp_path)), Router(), "x")


@pytest.mark.parametrize("keys", [{}, {"trust_keys": "/nowhere"}])
def test_a_service_without_the_trusts_keys_does_not_start(tmp_path: Path, keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="trust_keys"):
        HubSettings(**settings(tmp_path), **keys)


def test_two_routers_are_joined_unless_both_take_the_same() -> None:
    one, other = Router(), Router()
    one.on(CreateProject)(_nothing)
    other.on(CountCohort)(_nothing)
    assert one.joined(other).types == {CreateProject.type, CountCohort.type}
    assert one.types == {CreateProject.type}
    with pytest.raises(ValueError, match=r"project\.create"):
        one.joined(one)


async def _nothing(_message: Message, _uow: UnitOfWork) -> None: ...
