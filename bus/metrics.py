"""Every metric there is. Labels are few and small: never keys, ids or anything of a patient."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("trustflow_events_consumed_total", "Records read", ["type", "outcome"])
HANDLE_SECONDS = Histogram("trustflow_event_handle_seconds", "Time in a handler", ["type"])
AGE_SECONDS = Histogram("trustflow_event_age_seconds", "Time from an event's birth to its handling", ["type"])
DEAD_LETTERS = Counter("trustflow_dead_letters_total", "Records put aside", ["code"])
RETRIES = Counter("trustflow_retries_total", "Records tried again", ["topic"])
PUBLISHED = Counter("trustflow_events_published_total", "Records written to the broker")
OUTBOX_OLDEST_SECONDS = Gauge("trustflow_outbox_oldest_seconds", "Age of the oldest message not yet said")
JOB_SECONDS = Histogram(
    "trustflow_job_seconds",
    "Time a job ran",
    ["lane", "outcome"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600),
)
LAG_RECORDS = Gauge("trustflow_consumer_lag_records", "Records not yet read", ["topic", "partition"])
