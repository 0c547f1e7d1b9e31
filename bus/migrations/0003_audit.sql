-- What was decided, taken and said: each entry is chained to the one before by its hash. Never updated, never deleted.
create table audit (
    seq        bigint      primary key,
    at         timestamptz not null,
    actor      text        not null,
    action     text        not null,
    subject    text        not null,
    outcome    text        not null,
    message_id text        not null,
    digest     text        not null,
    previous   text        not null,
    hash       text        not null
);

-- Whose chain it is and where it ends; its lock puts those who write in order.
create table audit_head (
    one         boolean primary key default true check (one),
    participant text,
    seq         bigint  not null,
    hash        text    not null
);
insert into audit_head (seq, hash) values (0, repeat('0', 64));

-- What others have said of theirs.
create table audit_witness (
    participant text        not null,
    seq         bigint      not null,
    hash        text        not null,
    message_id  text        not null,
    heard_at    timestamptz not null default now(),
    primary key (participant, seq, hash)
);
