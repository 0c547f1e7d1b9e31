-- What has been applied: the same event twice has one effect.
create table inbox (
    consumer    text        not null,
    event_id    text        not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

-- How far each partition has been applied; authoritative, since the broker forgets idle groups.
create table position (
    consumer    text   not null,
    topic       text   not null,
    partition   int    not null,
    next_offset bigint not null,
    primary key (consumer, topic, partition)
);

-- What must still be said. A row with due_at is a deadline: a message to come.
create table outbox (
    outbox_id bigserial primary key,
    topic     text  not null,
    key       text,
    value     bytea not null,
    headers   jsonb not null,
    due_at    timestamptz,
    written_at timestamptz not null default now()
);

-- Long work, taken by lanes of workers; one job at a time for each key of a lane.
create table job (
    job_id    bigserial primary key,
    lane      text        not null,
    key       text        not null,
    type      text        not null,
    payload   bytea       not null,
    cause     jsonb       not null,
    attempts  int         not null default 0,
    running   boolean     not null default false,
    run_at    timestamptz not null default now(),
    queued_at timestamptz not null default now()
);
create index job_by_lane on job (lane, key, job_id);
