"""Each part, started as the federation starts it, does what the rest of the system relies on."""

import asyncio
import base64
import hashlib
import http.client
import subprocess
import time
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from bus.admin.broker_admin import administrator
from infra.parts.nginx import Nginx
from infra.parts.orthanc import Orthanc
from infra.parts.part import PartNotReadyError, free_port, is_free, running
from schemas.topics import Acl, Topic, acls, principals

pytestmark = pytest.mark.integration


def signed(nginx: Nginx, method: str, path: str, expires: int | None = None) -> str:
    expires = expires if expires is not None else int(time.time()) + 60
    digest = hashlib.md5(f"{expires}{method}{path} {nginx.secret}".encode(), usedforsecurity=False).digest()
    return f"{nginx.url}{path}?md5={base64.urlsafe_b64encode(digest).decode().rstrip('=')}&expires={expires}"


async def status(method: str, url: str, body: bytes | None = None) -> int:
    async with aiohttp.ClientSession() as session, session.request(method, url, data=body) as answer:
        await answer.read()
        return answer.status


class TestKafka:
    async def test_an_unknown_principal_is_refused(self, kafka) -> None:
        login = {**kafka.credentials(), "sasl_plain_username": "nobody"}
        with pytest.raises(KafkaError):
            await AIOKafkaProducer(**login).start()

    async def test_a_wrong_password_is_refused(self, kafka) -> None:
        login = {**kafka.credentials("project"), "sasl_plain_password": "wrong"}
        with pytest.raises(KafkaError):
            await AIOKafkaProducer(**login).start()

    async def test_only_those_who_work_by_hand_log_in_with_a_plain_password(self, kafka) -> None:
        async with AIOKafkaProducer(**{**kafka.credentials("operator"), "sasl_mechanism": "PLAIN"}):
            pass
        with pytest.raises(KafkaError):
            await AIOKafkaProducer(**{**kafka.credentials("project"), "sasl_mechanism": "PLAIN"}).start()

    async def test_what_no_rule_allows_is_denied(self, kafka) -> None:
        await kafka.provision([Topic("parts.closed", (), (), partitions=1)], users=["stranger"])
        async with AIOKafkaProducer(**kafka.credentials("stranger")) as producer:
            with pytest.raises(TopicAuthorizationFailedError):
                await producer.send_and_wait("parts.closed", b"x")

    async def test_a_writer_writes_and_a_reader_reads(self, kafka) -> None:
        rules = [
            Acl("quill", "WRITE", "TOPIC", "parts.open"),
            Acl("reader", "READ", "TOPIC", "parts.open"),
            Acl("reader", "READ", "GROUP", "reader", prefixed=True),
        ]
        await kafka.provision([Topic("parts.open", ("quill",), ("reader",))], rules, ["quill", "reader"])
        async with AIOKafkaProducer(**kafka.credentials("quill"), enable_idempotence=True) as producer:
            await producer.send_and_wait("parts.open", b"hello", key=b"k")
        consumer = AIOKafkaConsumer(
            "parts.open", **kafka.credentials("reader"), group_id="reader-1", auto_offset_reset="earliest"
        )
        async with consumer, asyncio.timeout(20):
            assert (await consumer.getone()).value == b"hello"

    async def test_provisioning_twice_changes_nothing(self, kafka) -> None:
        await kafka.provision_federation()
        await kafka.provision_federation()
        async with AIOKafkaProducer(**kafka.credentials("trust-amber")) as producer:
            await producer.send_and_wait("trust.amber.events", b"mine")
            with pytest.raises(TopicAuthorizationFailedError):
                await producer.send_and_wait("trust.birch.events", b"not mine")

    async def test_the_broker_obeys_the_rules_of_the_schemas_and_no_others(self, kafka) -> None:
        await kafka.provision_federation()
        known = principals(("amber", "birch"))
        async with administrator(kafka.login()) as admin:
            assert {rule for rule in await admin.acls() if rule.principal in known} == set(acls(("amber", "birch")))

    async def test_a_dropped_rule_is_obeyed_no_more(self, kafka) -> None:
        rule = Acl("quill", "WRITE", "TOPIC", "parts.dropped")
        await kafka.provision([], [rule])
        async with administrator(kafka.login()) as admin:
            await admin.drop_acls([rule])
            assert rule not in await admin.acls()


class TestPostgres:
    async def test_a_role_owns_its_database_and_opens_no_other(self, postgres) -> None:
        mine, _ = postgres.create_database("parts_mine"), postgres.create_database("parts_other")
        connection = await asyncpg.connect(mine)
        await connection.execute("create table t (x int)")
        assert await connection.fetchval("select count(*) from t") == 0
        await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(mine.removesuffix("/parts_mine") + "/parts_other")

    async def test_a_wrong_password_is_refused(self, postgres) -> None:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/postgres")

    def test_commits_are_on_disk_before_they_are_answered(self, postgres) -> None:
        assert postgres.part.execute("show fsync; show synchronous_commit").split() == ["on", "on"]

    def test_a_name_that_is_no_name_is_refused(self, postgres) -> None:
        with pytest.raises(ValueError, match="no plain PostgreSQL name"):
            postgres.create_database("x; drop table y")


class TestNginx:
    async def test_an_object_comes_back_as_it_was_put(self, nginx) -> None:
        body = bytes(range(256)) * 10_000
        assert await status("PUT", signed(nginx, "PUT", "/runs/1/whole"), body) == 201
        async with aiohttp.ClientSession() as session, session.get(signed(nginx, "GET", "/runs/1/whole")) as answer:
            assert await answer.read() == body

    async def test_an_object_is_written_once(self, nginx) -> None:
        url = signed(nginx, "PUT", "/runs/1/once")
        assert [await status("PUT", url, body) for body in (b"first", b"second")] == [201, 409]
        assert (nginx.objects / "runs/1/once").read_bytes() == b"first"

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_a_missing_or_wrong_signature_is_forbidden(self, nginx, method) -> None:
        assert await status(method, f"{nginx.url}/runs/1/x", b"") == 403
        assert await status(method, signed(nginx, method, "/runs/1/x").replace("/x?", "/y?"), b"") == 403

    async def test_the_method_is_part_of_the_signature(self, nginx) -> None:
        assert await status("PUT", signed(nginx, "GET", "/runs/1/method"), b"x") == 403

    async def test_an_expired_address_is_gone(self, nginx) -> None:
        assert await status("GET", signed(nginx, "GET", "/runs/1/x", expires=int(time.time()) - 1)) == 410

    async def test_a_deleted_object_may_be_written_again(self, nginx) -> None:
        put, delete = signed(nginx, "PUT", "/runs/1/again"), signed(nginx, "DELETE", "/runs/1/again")
        answers = [await status("PUT", put, b"a"), await status("DELETE", delete), await status("PUT", put, b"b")]
        assert answers == [201, 204, 201]

    def test_one_process_holds_the_port_so_that_a_killed_one_can_be_replaced(self, tmp_path) -> None:
        part = Nginx(tmp_path, free_port(), "s")
        with running(part):
            assert len(pids_naming(str(tmp_path))) == 1
        assert is_free(part.port)

    def test_a_cut_upload_leaves_no_object(self, nginx) -> None:
        put = signed(nginx, "PUT", "/runs/1/cut").removeprefix(nginx.url)
        connection = http.client.HTTPConnection("127.0.0.1", nginx.port)
        connection.putrequest("PUT", put)
        connection.putheader("Content-Length", str(4 << 20))
        connection.endheaders(b"x" * (2 << 20))
        connection.close()
        assert becomes_empty(nginx.directory / "temp")
        assert not (nginx.objects / "runs/1/cut").exists()


def pids_naming(text: str) -> list[str]:
    """Processes whose command line holds the text, and their children."""
    found = subprocess.run(["pgrep", "-f", text], capture_output=True, text=True, check=False).stdout.split()
    children = [
        subprocess.run(["pgrep", "-P", pid], capture_output=True, text=True, check=False).stdout.split()
        for pid in found
    ]
    return [*found, *(child for family in children for child in family)]


def becomes_empty(folder: Path, timeout_s: float = 5.0) -> bool:
    give_up = time.monotonic() + timeout_s
    while any(folder.iterdir()) and time.monotonic() < give_up:
        time.sleep(0.01)
    return not any(folder.iterdir())


class TestOrthanc:
    def test_it_echoes_under_its_own_title_only(self, orthanc) -> None:
        assert echo(orthanc, orthanc.title) == 0x0000
        assert echo(orthanc, "SOMEONE") is None

    async def test_http_needs_the_password(self, orthanc) -> None:
        assert await status("GET", f"{orthanc.url}/studies") == 401


def echo(orthanc: Orthanc, title: str) -> int | None:
    entity = AE("TESTER")
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", orthanc.dicom_port, ae_title=title)
    if not association.is_established:
        return None
    answer = association.send_c_echo()
    association.release()
    return int(answer.Status)


async def test_the_archive_answers(xnat) -> None:
    assert await status("GET", f"{xnat.url}/health") == 200


def test_a_part_that_cannot_start_says_where_to_read_why(tmp_path: Path) -> None:
    taken = Nginx(tmp_path / "first", free_port(), "s")
    broken = Orthanc(tmp_path / "second", taken.port, free_port(), free_port(), "p")
    with running(taken), pytest.raises(PartNotReadyError, match=r"orthanc ended with .*second/log"), running(broken):
        pass
