-- Questions that were answered, suppressed ones too; `spent` says whether the answer was a new one.
create table question (
    question_id bigint      generated always as identity primary key,
    project_id  text        not null,
    user_id     text        not null,
    at          timestamptz not null,
    spent       boolean     not null
);
create index question_by_project on question (project_id);
create index question_by_user on question (user_id);

-- Every set of persons that was asked about, and what was answered: what a later question is compared with. `basis` is
-- the number that the answer was made of, `root` the row whose answer it shares, `told` false where only a table's cells
-- were released, not yet their sum, `radius` within how many persons of it others share its answer. Members never leave
-- this database.
create table asked_set (
    asked_id   bigint  generated always as identity primary key,
    project_id text    not null,
    user_id    text    not null,
    digest     bytea   not null,
    size       bigint  not null,
    sketch     bytea   not null,
    members    bytea   not null,
    basis      bigint  not null,
    told       boolean not null,
    persons    bigint,
    studies    bigint,
    root       bigint  references asked_set,
    radius     float8  not null,
    unique (project_id, user_id, digest)
);
create index asked_set_by_user on asked_set (user_id);
-- Bitmaps are dense already, and sketches are read thousands at a time.
alter table asked_set alter column members set storage external;
alter table asked_set alter column sketch set storage plain;
