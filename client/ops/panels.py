"""What operators look at, by the question it answers: `ops top` and Grafana's dashboards are both made from this."""

from dataclasses import dataclass
from typing import Literal

from client.ops.figures import EVERY, Figure, Level, Quantile, Rate

Unit = Literal["per second", "seconds", "count", "bytes", "bytes per second", "yes or no"]


@dataclass(frozen=True, slots=True)
class Panel:
    """``bad_from`` is where a figure deserves a look; where an alert begins is written in `infra/watch/rules.yml`."""

    title: str
    unit: Unit
    figure: Figure
    bad_from: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    question: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """``of_one`` where only one participant is looked at; ``where`` names the scrape job, as PromQL does."""

    uid: str
    title: str
    rows: tuple[Row, ...]
    of_one: bool = False
    where: str = EVERY


FLOWING, LATE, FAILING, STUCK, RECOVER = (
    "Is it flowing?",
    "Is it late?",
    "Is it failing?",
    "Who is stuck?",
    "Can it recover?",
)

OVERVIEW = Board(
    "trustflow-overview",
    "Trustflow: all participants",
    (
        Row(
            FLOWING,
            (
                Panel("applied", "per second", Rate("trustflow_events_consumed_total", only={"outcome": "applied"})),
                Panel("said", "per second", Rate("trustflow_events_published_total")),
                Panel("jobs ended", "per second", Rate("trustflow_job_seconds_count")),
                Panel("objects", "bytes per second", Rate("trustflow_object_bytes_total")),
            ),
        ),
        Row(
            LATE,
            (
                Panel("behind", "seconds", Level("trustflow_consumer_lag_seconds"), bad_from=30),
                Panel("outbox oldest", "seconds", Level("trustflow_outbox_oldest_seconds"), bad_from=5),
                Panel("event age p95", "seconds", Quantile("trustflow_event_age_seconds", 0.95), bad_from=10),
                Panel("deadline late p95", "seconds", Quantile("trustflow_deadline_late_seconds", 0.95), bad_from=5),
            ),
        ),
        Row(
            FAILING,
            (
                Panel("put aside", "count", Level("trustflow_dead_letters_total", fold="sum"), bad_from=1),
                Panel("retries", "per second", Rate("trustflow_retries_total"), bad_from=1),
                Panel(
                    "jobs failed",
                    "per second",
                    Rate("trustflow_job_seconds_count", only={"outcome": "failed"}),
                    bad_from=0.1,
                ),
                Panel("transfers cut", "per second", Rate("trustflow_object_failures_total"), bad_from=0.1),
            ),
        ),
        Row(
            STUCK,
            (
                Panel("halted", "yes or no", Level("trustflow_consumer_halted"), bad_from=1),
                Panel("records unread", "count", Level("trustflow_consumer_lag_records", fold="sum"), bad_from=10_000),
                Panel("keys deferred", "count", Level("trustflow_deferred_keys"), bad_from=1),
                Panel("deferred oldest", "seconds", Level("trustflow_deferred_oldest_seconds"), bad_from=60),
                Panel("topics held", "count", Level("trustflow_relay_held_topics"), bad_from=1),
            ),
        ),
        Row(
            RECOVER,
            (
                Panel("database", "yes or no", Level("trustflow_database_up")),
                Panel("relay", "yes or no", Level("trustflow_relay_active")),
                Panel("outbox", "count", Level("trustflow_outbox_pending"), bad_from=1_000),
                Panel("rebalances", "per second", Rate("trustflow_consumer_rebalances_total"), bad_from=0.1),
                Panel("memory", "bytes", Level("process_resident_memory_bytes", fold="sum")),
            ),
        ),
    ),
)

ONE = Board(
    "trustflow-one",
    "Trustflow: one participant",
    (
        Row(
            FLOWING,
            (
                Panel(
                    "what becomes of each record",
                    "per second",
                    Rate("trustflow_events_consumed_total", ("type", "outcome")),
                ),
                Panel("objects moved", "bytes per second", Rate("trustflow_object_bytes_total", ("direction",))),
                Panel("jobs", "count", Level("trustflow_jobs", ("lane", "state"))),
            ),
        ),
        Row(
            LATE,
            (
                Panel("time in a handler, p95", "seconds", Quantile("trustflow_event_handle_seconds", 0.95, ("type",))),
                Panel("age when handled, p95", "seconds", Quantile("trustflow_event_age_seconds", 0.95, ("type",))),
                Panel("time of a job, p95", "seconds", Quantile("trustflow_job_seconds", 0.95, ("lane",))),
                Panel("time to publish a batch, p95", "seconds", Quantile("trustflow_relay_publish_seconds", 0.95)),
                Panel("deadlines ahead", "count", Level("trustflow_deadlines_ahead")),
            ),
        ),
        Row(
            FAILING,
            (
                Panel("put aside, by code", "per second", Rate("trustflow_dead_letters_total", ("code",))),
                Panel("retries, by topic", "per second", Rate("trustflow_retries_total", ("topic",))),
                Panel("jobs, by outcome", "per second", Rate("trustflow_job_seconds_count", ("lane", "outcome"))),
            ),
        ),
        Row(
            STUCK,
            (
                Panel("behind", "seconds", Level("trustflow_consumer_lag_seconds", ("topic", "partition"))),
                Panel("records unread", "count", Level("trustflow_consumer_lag_records", ("topic", "partition"))),
                Panel("records deferred", "count", Level("trustflow_deferred_records")),
                Panel("oldest job waiting", "seconds", Level("trustflow_job_oldest_seconds", ("lane",))),
            ),
        ),
        Row(
            RECOVER,
            (
                Panel("partitions", "count", Level("trustflow_consumer_partitions", ("state",), fold="sum")),
                Panel("offsets not taken", "per second", Rate("trustflow_consumer_commit_failures_total")),
                Panel("relay restarts", "per second", Rate("trustflow_relay_restarts_total")),
                Panel("processor", "per second", Rate("process_cpu_seconds_total")),
            ),
        ),
    ),
    of_one=True,
)

BROKER = Board(
    "trustflow-broker",
    "Trustflow: what the broker knows",
    (
        Row(
            LATE,
            (
                Panel("group behind", "seconds", Level("trustflow_group_lag_seconds", ("group",)), bad_from=600),
                Panel("records unread", "count", Level("trustflow_group_lag_records", ("group",))),
            ),
        ),
        Row(
            FAILING,
            (
                Panel("letters open", "count", Level("trustflow_letters_open", ("group",)), bad_from=1),
                Panel("oldest letter", "seconds", Level("trustflow_letters_oldest_seconds", ("group",)), bad_from=3600),
            ),
        ),
        Row(
            RECOVER,
            (
                Panel("processes that read", "count", Level("trustflow_group_members", ("group",))),
                Panel("broker last asked", "seconds", Level("trustflow_broker_read_seconds"), bad_from=120),
            ),
        ),
    ),
    where='job="trustflow-broker"',
)
"""Made from what `trustflow ops exporter` reads by the operator's login, also of who is away."""

BOARDS = (OVERVIEW, ONE, BROKER)
