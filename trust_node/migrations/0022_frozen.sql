-- By what a cohort was frozen: the query of record, the code that read it, the warehouse it was read in. `digest` is what
-- the hub was told, `told_persons` too; `persons` and `studies` are the true figures of that moment.
alter table cohort
    add column sql                text,
    add column sql_sha256         text,
    add column is_frame           boolean not null default false,
    add column software           text,
    add column cdm_version        text,
    add column vocabulary_version text,
    add column persons            int,
    add column studies            int,
    add column told_persons       int,
    add column approved_by        text;

-- Studies, by the pseudonym that the archive knows them by, of persons who are gone from a frozen cohort: they may not be
-- used any more, whatever is still here of them.
create table withdrawn (
    project_id text not null references cohort on delete cascade,
    study      text not null,
    primary key (project_id, study)
);
