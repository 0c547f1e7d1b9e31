"""Every metric there is (Prometheus text format 0.0.4). Labels are few and small: never keys, ids or patient data."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10)
LONG_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600)
AGE_SECONDS_UP_TO_DAYS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3_600, 86_400)

CODES = (
    "malformed",
    "unknown_type",
    "newer_version",
    "too_large",
    "invalid_payload",
    "wrong_key",
    "wrong_topic",
    "forged_source",
    "bad_signature",
    "retries_exhausted",
    "unreadable_record",
    "reading_failed",
    "replayed",
)

CONSUMED = Counter("trustflow_events_consumed_total", "Records read", ["type", "outcome"])
HANDLE_SECONDS = Histogram("trustflow_event_handle_seconds", "Time in a handler", ["type"], buckets=SECONDS)
AGE_SECONDS = Histogram(
    "trustflow_event_age_seconds",
    "Time from an event's birth to its handling",
    ["type"],
    buckets=AGE_SECONDS_UP_TO_DAYS,
)
LAG_RECORDS = Gauge("trustflow_consumer_lag_records", "Records not yet applied", ["topic", "partition"])
LAG_SECONDS = Gauge(
    "trustflow_consumer_lag_seconds", "Age of the oldest record not yet applied", ["topic", "partition"]
)
PARTITIONS = Gauge("trustflow_consumer_partitions", "Partitions assigned", ["state"])
HALTED = Gauge("trustflow_consumer_halted", "1 when the circuit breaker has stopped the consumer")
REBALANCES = Counter("trustflow_consumer_rebalances_total", "Times that partitions were assigned anew")
COMMIT_FAILURES = Counter("trustflow_consumer_commit_failures_total", "Offsets that the broker did not take")
RETRIES = Counter("trustflow_retries_total", "Records tried again", ["topic"])

DEAD_LETTERS = Counter("trustflow_dead_letters_total", "Records put aside", ["code"])
DEFERRED_RECORDS = Gauge("trustflow_deferred_records", "Records that wait behind their key")
DEFERRED_KEYS = Gauge("trustflow_deferred_keys", "Keys whose records wait for another try")
DEFERRED_OLDEST_SECONDS = Gauge("trustflow_deferred_oldest_seconds", "Time since the oldest deferred record failed")

PUBLISHED = Counter("trustflow_events_published_total", "Records written to the broker")
PUBLISH_SECONDS = Histogram("trustflow_relay_publish_seconds", "Time to publish a batch", buckets=SECONDS)
RELAY_ACTIVE = Gauge("trustflow_relay_active", "1 in the process that publishes what its database holds")
RELAY_RESTARTS = Counter("trustflow_relay_restarts_total", "Times the relay began anew after trouble")
HELD_TOPICS = Gauge("trustflow_relay_held_topics", "Topics that the broker does not let us write")
OUTBOX_PENDING = Gauge("trustflow_outbox_pending", "Messages due and not yet said")
OUTBOX_OLDEST_SECONDS = Gauge("trustflow_outbox_oldest_seconds", "Age of the oldest message not yet said")
DEADLINES_AHEAD = Gauge("trustflow_deadlines_ahead", "Deadlines still to come")
DEADLINE_LATE_SECONDS = Histogram(
    "trustflow_deadline_late_seconds", "Time from a deadline to its message", buckets=LONG_SECONDS
)

JOBS = Gauge("trustflow_jobs", "Long work by lane", ["lane", "state"])
JOB_OLDEST_SECONDS = Gauge("trustflow_job_oldest_seconds", "Time the oldest job that could run has waited", ["lane"])
JOB_SECONDS = Histogram("trustflow_job_seconds", "Time a job ran", ["lane", "outcome"], buckets=LONG_SECONDS)

OBJECT_BYTES = Counter("trustflow_object_bytes_total", "Bytes of models, updates and code moved", ["direction"])
OBJECT_FAILURES = Counter("trustflow_object_failures_total", "Transfers of a part that were cut")
DATABASE_UP = Gauge("trustflow_database_up", "1 when the database answered at this scrape")

# A counter that appears with its first event has no increase that an alert could see.
for code in CODES:
    DEAD_LETTERS.labels(code)
for direction in ("in", "out"):
    OBJECT_BYTES.labels(direction)
