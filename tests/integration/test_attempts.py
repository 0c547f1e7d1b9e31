"""Every attempt of `attempts.py`, on the live broker and a live reader: each gets the answer that is promised."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from bus.admin.broker_admin import administrator
from bus.breaker import LONGEST_RUN
from bus.proof.signing import Signer, TrustKeys
from bus.uow import new_id
from infra.parts.nginx import Nginx
from schemas.aggregation import AggregationFailed
from schemas.topics import HUB_TOPICS, Acl, Quota, Topic, own_topics, quotas
from schemas.training import FoldInput, RoundClosed, RunStopped
from tests.conftest import TRUSTS, Broker, Database
from tests.integration.attempts import AT_THE_BROKER, AT_THE_READER, Attempt, table
from tests.integration.hub import service
from tests.integration.intruder import DIGEST, Intruder
from tests.integration.operators import ops_desk
from tests.integration.records import Raw, Reader, header, raw, send

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SECURITY_PAGE = Path(__file__).parents[2] / "docs" / "security.md"
EVENTS = next(topic for topic in HUB_TOPICS if topic.name == "aggregation.events")


@pytest.fixture(scope="module")
async def federation(kafka: Broker) -> Broker:
    await kafka.provision_federation()
    return kafka


@pytest.mark.parametrize("attempt", AT_THE_BROKER, ids=lambda attempt: attempt.name)
async def test_the_broker_refuses(federation: Broker, attempt: Attempt) -> None:
    assert await attempt.deed(federation) == attempt.answer


@pytest.fixture(scope="module")
async def intruder(
    federation: Broker, postgres: Database, nginx: Nginx, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Intruder]:
    folder, login = tmp_path_factory.mktemp("attempts"), federation.credentials("trust-amber")
    heard = await Reader.of(federation.credentials(), EVENTS, own_topics("aggregator")[0])
    with service("aggregator", federation, postgres.fresh_database("aggregator"), nginx, folder) as aggregator:
        as_operator = federation.credentials("operator")
        async with AIOKafkaProducer(**login) as producer, AIOKafkaProducer(**as_operator) as operator:
            run_id = await _run_that_is_over(federation, heard)
            yield Intruder(
                federation,
                producer,
                operator,
                heard,
                run_id,
                f"http://127.0.0.1:{aggregator.env['TRUSTFLOW_HTTP_PORT']}",
            )
    await heard.stop()


async def _run_that_is_over(federation: Broker, heard: Reader) -> str:
    """When the aggregator has answered what came after the end, it knows of the end."""
    run_id = new_id()
    update = FoldInput(trust_id="amber", examples=1, digest=DIGEST)
    said = (
        RunStopped(run_id=run_id, stopped_by="ann"),
        RoundClosed(run_id=run_id, round=1, updates=(update,), missing=()),
    )
    async with AIOKafkaProducer(**federation.credentials("training_coordinator")) as producer:
        await send(producer, [raw(message) for message in said])
    await heard.until(lambda records: any(_is_failure(record, run_id) for record in records))
    return run_id


def _is_failure(record: object, run_id: str) -> bool:
    return header(record, "ce_type") == AggregationFailed.type and header(record, "ce_subject") == run_id


@pytest.mark.parametrize("attempt", AT_THE_READER, ids=lambda attempt: attempt.name)
async def test_the_reader_refuses(intruder: Intruder, attempt: Attempt) -> None:
    assert await attempt.deed(intruder) == attempt.answer


async def test_a_trusts_signing_key_is_replaced_without_a_gap(intruder: Intruder, tmp_path: Path) -> None:
    """The aggregator is not restarted: for a while both keys are good, then only those that are left."""
    keys, fresh = TrustKeys(intruder.kafka.trust_keys), Signer.open(tmp_path / "fresh.pem")
    intruder.kafka.signing_key_file("amber")
    file = intruder.kafka.trust_keys / "amber.pem"
    old = file.read_bytes()
    assert await intruder.answer(signed_by(fresh, intruder.update())) == "bad_signature"
    keys.admit("amber", fresh.public_pem)
    assert await intruder.answer(signed_by(fresh, intruder.update())) == "run_is_over"
    assert await intruder.answer(intruder.signed(intruder.update())) == "run_is_over"
    file.write_bytes(old)
    assert await intruder.answer(signed_by(fresh, intruder.update())) == "bad_signature"


async def test_what_came_before_its_key_did_is_read_when_it_is_redriven(intruder: Intruder, tmp_path: Path) -> None:
    """A record that an operator sends again keeps its signature: nothing is lost by a key that came late."""
    keys, late = TrustKeys(intruder.kafka.trust_keys), Signer.open(tmp_path / "late.pem")
    record = signed_by(late, intruder.update())
    assert await intruder.answer(record) == "bad_signature"
    keys.admit("amber", late.public_pem)
    desk = ops_desk(intruder.kafka, tmp_path)
    await desk.call("dlq", "redrive", "--id", record.id, "--as", "ada", "--yes", "--why", "The key is here now.")
    assert await intruder.answers_to(record, 2) == ["bad_signature", "run_is_over"]


def signed_by(signer: Signer, record: Raw) -> Raw:
    return replace(record, headers=signer.signed(record.headers, record.value or b""))


async def test_a_trust_that_sends_nothing_but_rubbish_stops_no_service(intruder: Intruder) -> None:
    """The circuit breaker is for our own faults: else any trust could stop the hub."""
    await send(intruder.producer, [intruder.update() for _ in range(2 * (LONGEST_RUN + 1))])
    assert await intruder.answer(intruder.signed(intruder.update())) == "run_is_over"


async def test_forgeries_are_counted_where_an_alert_looks(intruder: Intruder) -> None:
    await intruder.answer(intruder.update())
    async with aiohttp.ClientSession() as session, session.get(f"{intruder.reader_url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    counts = dict(line.rsplit(" ", 1) for line in lines if line.startswith("trustflow_dead_letters_total"))
    assert float(counts['trustflow_dead_letters_total{code="bad_signature"}']) >= 1


async def test_the_quotas_in_force_are_those_declared(federation: Broker) -> None:
    async with administrator(federation.login()) as admin:
        await admin.ensure_quotas(quotas(TRUSTS))
        assert set(quotas(TRUSTS)) <= await admin.quotas()


async def test_a_flood_is_slowed_down_and_nobody_else_feels_it(federation: Broker) -> None:
    """Bytes above a quota are not refused: the broker answers later and later."""
    rate, record, records = 200_000.0, bytes(200_000), 15
    topic = Topic("flooded", writers=("flooder",), readers=(), partitions=1)
    await federation.provision([topic], [Acl("flooder", "WRITE", "TOPIC", topic.name)], ["flooder"])
    async with administrator(federation.login()) as admin:
        await admin.ensure_quotas([Quota("flooder", rate, rate, 50.0, 1.0)])
    async with (
        AIOKafkaProducer(**federation.credentials("flooder"), request_timeout_ms=60_000) as flooder,
        AIOKafkaProducer(**federation.credentials("client")) as client,
    ):
        began = time.monotonic()
        flood = asyncio.gather(*[await flooder.send(topic.name, record) for _ in range(records)])
        hops = [await _seconds_to_write(client)]
        while not flood.done():
            hops.append(await _seconds_to_write(client))
    assert time.monotonic() - began > 2.0
    assert median(hops) < 0.25


async def _seconds_to_write(producer: AIOKafkaProducer) -> float:
    began = time.monotonic()
    await producer.send_and_wait("project.commands", b"{}", key=b"quota-test")
    return time.monotonic() - began


def test_the_page_holds_the_table() -> None:
    assert table() in SECURITY_PAGE.read_text()
