-- Images that a rule held back; a person of the trust decides. Rows stay as the record of the decision.
create table hold (
    project_id text        not null,
    study      text        not null,
    image      text        not null,
    reason     text        not null,
    since      timestamptz not null,
    verdict    text        check (verdict in ('released', 'rejected')),
    decided_by text,
    why        text,
    decided_at timestamptz,
    primary key (project_id, study, image, reason),
    check ((verdict is null) = (decided_by is null))
);
create index on hold (project_id, study) where verdict is null;
