-- How far a study is, and whether anything more happens to it by itself. `state` is the step it has reached, `code` why
-- it went no further, `rest` whether it is held for a person or skipped by one.
alter table study
    add column settled     boolean     not null default false,
    add column rest        text,
    add column fresh       boolean     not null default false,
    add column failures    int         not null default 0,
    add column expected    int,
    add column received    int         not null default 0,
    add column archived    int         not null default 0,
    add column held        jsonb       not null default '{}',
    add column deadline_at timestamptz not null default now() + interval '14 days',
    add column touched_at  timestamptz not null default now();
update study set settled = state in ('failed', 'archived', 'converted');
update study set state = 'queued' where state = 'failed';

-- What was told of each study, in order: what `trustflow node import explain` explains.
create table study_step (
    project_id text        not null,
    study      text        not null,
    at         timestamptz not null,
    attempt    int         not null,
    state      text        not null,
    code       text,
    expected   int,
    present    int         not null,
    held       jsonb       not null default '{}'
);
create index study_step_by_study on study_step (project_id, study, at);

-- The studies that an accession number led to in the PACS; those not `chosen` are listed and left there.
create table study_found (
    project_id text    not null,
    study      text    not null,
    session    text    not null,
    expected   int,
    chosen     boolean not null,
    primary key (project_id, study, session)
);

-- The trust's one choice per project where an accession number leads to several studies, and the project's end.
alter table project add column several text, add column ended_at timestamptz;
