"""What a real run shows in the metrics that a real Prometheus scraped, in traces, in logs and in `ops top`."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from bus.speaker import Speaker
from bus.watch import tracing
from client.cli import app as command_line
from client.ops.exporter import serving
from client.ops.panels import BOARDS, OVERVIEW
from infra.parts.part import free_port, running
from infra.parts.prometheus import RULES, Prometheus
from infra.watch.dashboards import query
from infra.watch.targets import write_targets
from schemas.envelope import Envelope
from schemas.project import CreateProject
from schemas.topics import CLIENT, OPERATOR, Acl
from tests.conftest import Broker, Database
from tests.integration.counter.messages import COMMANDS, Add, Manner
from tests.integration.counter.world import DEAD_LETTERS, World, running_counter
from tests.integration.otlp import Receiver, receiver
from tests.integration.process import OurProcess, our_process
from tests.integration.records import Raw, raw, send

pytestmark = pytest.mark.integration

WITHIN_S = 60.0
CANARY = "mustermann.erika.1961-07-04"
MANNERS: tuple[Manner, ...] = (
    "plain",
    "transient",
    "bug",
    "bad_sql",
    "reject",
    "remind",
    "waits",
    "job",
    "job_rejected",
)
LABELS = {"type", "outcome", "code", "topic", "partition", "state", "lane", "direction", "le"}
PYTHONS_OWN = re.compile(r"python_|process_")


@dataclass(slots=True)
class Watched:
    """A small federation at work, and everybody who watches it."""

    processes: dict[str, OurProcess]
    counter: World
    prometheus: Prometheus
    traces: Receiver
    http: aiohttp.ClientSession
    said: list[Envelope] = field(default_factory=list)

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"{process.url}/metrics" for name, process in self.processes.items()}

    async def metrics(self) -> dict[str, str]:
        return {name: await self._text(url) for name, url in self.urls.items()}

    async def ask(self, promql: str) -> list[Any]:
        async with self.http.get(f"{self.prometheus.url}/api/v1/query", params={"query": promql}) as answer:
            said = await answer.json()
        assert said["status"] == "success", f"{promql}: {said}"
        return list(said["data"]["result"])

    async def until(self, promql: str) -> list[Any]:
        """Ask until the answer is not empty."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := await self.ask(promql)):  # noqa: ASYNC110  another process scrapes
                await asyncio.sleep(0.3)
            return found

    async def _text(self, url: str) -> str:
        async with self.http.get(url) as answer:
            assert answer.status == 200
            return await answer.text()


@pytest.fixture(scope="module")
async def watched(
    kafka: Broker, postgres: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    await kafka.provision_federation()
    folder = tmp_path_factory.mktemp("watching")
    async with receiver() as traces, aiohttp.ClientSession() as http:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(tracing.ENDPOINT, traces.url)
            patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
            async with (
                our_process("services.project", "project", kafka, postgres.fresh_database(), folder) as project,
                our_process("services.cohort", "cohort", kafka, postgres.fresh_database(), folder) as cohort,
                running_counter(kafka, postgres, folder) as counter,
            ):
                processes = {"project": project, "cohort": cohort, "counter": counter.process}
                targets = folder / "targets.json"
                with running(Prometheus(folder / "prometheus", free_port(), targets, every=1)) as prometheus:
                    scene = Watched(processes, counter, prometheus, traces, http)
                    port = free_port()
                    write_targets(scene.urls, port, targets)
                    await scene.until('trustflow_dead_letters_total{participant="counter", code="malformed"}')
                    await _play(scene, kafka)
                    of_the_counter = [Acl(OPERATOR, "READ", "TOPIC", DEAD_LETTERS.name)]
                    async with (
                        kafka.lent((), of_the_counter, ()),
                        serving(kafka.login(OPERATOR), port, every=2),
                    ):
                        yield scene
            tracing.export_to(None)


async def _play(scene: Watched, kafka: Broker) -> None:
    """A person creates a project; a counter is asked in every manner, and sent rubbish."""
    async with Speaker(kafka.login(CLIENT)) as speaker:
        project = CreateProject(actor=CANARY, project_id=f"p-{CANARY.replace('.', '-')}", name=CANARY)
        scene.said.append(await speaker.send(project))
    asked = [_add(number, manner) for number, manner in enumerate(MANNERS)]
    records = await scene.counter.say(*asked)
    rubbish = Raw(COMMANDS.name, CANARY.encode(), CANARY.encode(), [("ce_id", CANARY.encode())])
    await send(scene.counter.producer, [rubbish, *(raw(command) for command in asked[:1]), records[0]])
    for record in records:
        if MANNERS[records.index(record)] != "waits":
            await scene.counter.answer(record)
    await scene.counter.put_aside(rubbish)
    await scene.counter.until("select count(*) > 0 from deferred")


def _add(number: int, manner: Manner) -> Add:
    return Add(actor=CANARY, counter_id=f"c-{secrets.token_hex(4)}", number=1000 + number, manner=manner)


class TestMetrics:
    async def test_every_query_of_every_dashboard_has_an_answer(self, watched: Watched) -> None:
        for board in BOARDS:
            for row in board.rows:
                for panel in row.panels:
                    assert await watched.until(query(panel, board).replace("$participant", ".*")), panel.title

    async def test_every_series_that_a_dashboard_asks_for_was_scraped(self, watched: Watched) -> None:
        names = {
            name for board in BOARDS for row in board.rows for panel in row.panels for name in panel.figure.metrics
        }
        for name in names:
            assert await watched.until(f'count({{__name__="{name}"}})'), name

    async def test_every_alert_has_something_to_judge(self, watched: Watched) -> None:
        for rule in _rules():
            judged = re.sub(r" ([<>]) (?=\S+\s*$)", r" \1 bool ", rule["expr"])
            assert judged != rule["expr"]
            assert await watched.until(judged), rule["alert"]

    async def test_a_dead_letter_raises_its_alert_and_those_who_are_well_raise_none(self, watched: Watched) -> None:
        await watched.until('ALERTS{alertname="DeadLetters", alertstate="firing", code="malformed"}')
        firing = await watched.ask('ALERTS{alertname="DeadLetters", alertstate="firing"}')
        assert {alert["metric"]["participant"] for alert in firing} == {"counter"}
        assert await watched.ask('ALERTS{alertstate="firing", participant!="counter"}') == []

    async def test_the_operator_knows_which_letters_are_open_and_who_reads(self, watched: Watched) -> None:
        (letters,) = await watched.until('trustflow_letters_open{job="trustflow-broker", group="counter"} > 0')
        assert float(letters["value"][1]) >= 3
        assert await watched.until('trustflow_letters_oldest_seconds{group="counter"} > 0')
        (reading,) = await watched.until('trustflow_group_members{group="project"} > 0')
        assert float(reading["value"][1]) == 1
        (away,) = await watched.until('trustflow_group_members{group="trust-amber"}')
        assert float(away["value"][1]) == 0

    async def test_labels_are_few_and_no_value_names_a_person_or_an_aggregate(self, watched: Watched) -> None:
        for text in (await watched.metrics()).values():
            assert CANARY not in text
            assert CANARY.replace(".", "-") not in text
            families = [one for one in text_string_to_metric_families(text) if not PYTHONS_OWN.match(one.name)]
            assert {label for family in families for sample in family.samples for label in sample.labels} <= LABELS
            values = {value for one in families for sample in one.samples for value in sample.labels.values()}
            assert not [value for value in values if re.search(r"c-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-", value)]

    async def test_what_was_done_is_what_is_counted(self, watched: Watched) -> None:
        async def of_the_counter(series: str) -> float:
            (found,) = await watched.until(f"sum by (participant) ({series}) > 0")
            return float(found["value"][1])

        counter = 'participant="counter"'
        assert await of_the_counter(f'trustflow_dead_letters_total{{{counter}, code="malformed"}}') >= 1
        assert await of_the_counter(f'trustflow_dead_letters_total{{{counter}, code="retries_exhausted"}}') >= 2
        assert await of_the_counter(f'trustflow_events_consumed_total{{{counter}, outcome="duplicate"}}') >= 1
        assert await of_the_counter(f"trustflow_retries_total{{{counter}}}") >= 3
        assert await of_the_counter(f"trustflow_deferred_keys{{{counter}}}") >= 1
        assert await of_the_counter(f'trustflow_jobs{{{counter}, lane="slow", state="running"}}') >= 1
        assert await of_the_counter(f'trustflow_job_seconds_count{{{counter}, outcome="failed"}}') >= 1
        assert await of_the_counter(f"trustflow_deadline_late_seconds_count{{{counter}}}") >= 1
        assert await of_the_counter(f"trustflow_consumer_rebalances_total{{{counter}}}") >= 1
        assert await watched.ask("trustflow_relay_restarts_total > 0") == []


class TestTop:
    async def test_it_shows_what_the_dashboards_show(self, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = [json.loads(line) for line in (await _top(watched, monkeypatch, "--json")).splitlines()]
        assert {line["participant"] for line in lines} == set(watched.processes)
        assert {(line["question"], line["panel"]) for line in lines} == {
            (row.question, panel.title) for row in OVERVIEW.rows for panel in row.panels
        }
        (letters,) = [line for line in lines if (line["participant"], line["panel"]) == ("counter", "put aside")]
        (scraped,) = await watched.ask('sum(trustflow_dead_letters_total{participant="counter"})')
        assert letters["value"] == float(scraped["value"][1])
        assert letters["bad"]

    async def test_whoever_is_away_comes_first(self, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
        text = await _top(watched, monkeypatch, more=f",trust-away=http://127.0.0.1:{free_port()}/metrics")
        heading = next(line for line in text.splitlines() if "project" in line)
        assert heading.split("┃")[2].strip() == "trust-away"
        assert "Is it late?" in text


class TestTraces:
    async def test_one_click_is_one_trace_through_two_services(self, watched: Watched) -> None:
        (click,) = watched.said
        trace = click.traceparent[3:35]
        asked = await watched.traces.span("client", "create project.commands", trace)
        taken = await watched.traces.span("project", "process project.commands", trace)
        told = await watched.traces.span("project", "create project.events", trace)
        sent = await watched.traces.span("project", "send project.events", trace)
        heard = await watched.traces.span("cohort", "process project.events", trace)
        assert asked.span_id.hex() == click.traceparent[36:52]
        assert asked.parent_span_id == b""
        assert taken.parent_span_id == asked.span_id
        assert told.parent_span_id == taken.span_id
        created = {span.span_id for _, span in watched.traces.spans if span.parent_span_id == taken.span_id}
        assert {sent.parent_span_id, heard.parent_span_id} <= created

    async def test_no_span_holds_anything_of_a_payload_or_an_error(self, watched: Watched) -> None:
        failed = [span for who, span in watched.traces.spans if who == "trustflow.counter" and span.status.code == 2]
        assert failed
        assert CANARY not in "".join(str(span) for _, span in watched.traces.spans)


class TestLogs:
    async def test_every_line_is_json_and_says_who_speaks(self, watched: Watched) -> None:
        for name, process in watched.processes.items():
            lines = [json.loads(line) for line in process.log.read_text().splitlines()]
            assert lines
            assert {line["participant"] for line in lines} == {name}
            assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))

    async def test_a_failure_names_its_kind_its_places_and_the_click_that_caused_it(self, watched: Watched) -> None:
        lines = [json.loads(line) for line in watched.counter.process.log.read_text().splitlines()]
        errors = {line["error"]: line for line in lines if "error" in line}
        assert {"ZeroDivisionError", "InvalidTextRepresentationError", "Transient"} <= set(errors)
        assert errors["ZeroDivisionError"]["places"][-1].endswith("_misbehave")
        assert re.fullmatch(r"[0-9a-f-]{36}", errors["ZeroDivisionError"]["correlation_id"])

    async def test_no_log_holds_what_was_in_payloads_errors_or_sql(self, watched: Watched) -> None:
        for process in watched.processes.values():
            assert CANARY not in process.log.read_text()


async def _top(watched: Watched, monkeypatch: pytest.MonkeyPatch, *options: str, more: str = "") -> str:
    urls = ",".join(f"{name}={url}" for name, url in watched.urls.items())
    for name, value in (("KAFKA_BOOTSTRAP", "nowhere:1"), ("KAFKA_PASSWORD_FILE", "none"), ("METRICS", urls + more)):
        monkeypatch.setenv(f"TRUSTFLOW_{name}", value)
    arguments = ["ops", "top", "--once", "--every", "0.5", *options]
    result = await asyncio.to_thread(CliRunner().invoke, command_line, arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(Path(RULES).read_text())["groups"] for rule in group["rules"]]
