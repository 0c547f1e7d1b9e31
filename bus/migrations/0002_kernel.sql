-- What a command asked, as a digest, and what a refused one was told: sent again with the same id, it is told the same.
alter table inbox add column asked text, add column rejected_code text, add column rejected_reason text;
create index inbox_by_age on inbox using brin (received_at);

-- Written and read as it is: jsonb would be parsed and printed each time.
alter table outbox alter column headers type text using headers::text;

-- How many of a partition's records wait in `deferred`.
alter table position add column deferred int not null default 0;

-- Keys that wait: a record whose handler could not take it yet, and behind it everything of its key.
create table deferred (
    deferred_id     bigserial   primary key,
    consumer        text        not null,
    topic           text        not null,
    partition       int         not null,
    record_offset   bigint      not null,
    recorded_ms     bigint      not null,
    key             text        not null,
    value           bytea,
    headers         text        not null,
    error           text,
    attempts        int         not null default 0,
    first_failed_at timestamptz,
    retry_at        timestamptz not null default now()
);
create index deferred_by_key on deferred (consumer, topic, key, deferred_id);
