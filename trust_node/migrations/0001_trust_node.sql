-- Frozen cohorts: who is in. Accession numbers and persons never leave this database.
create table cohort (
    project_id text        primary key,
    query_id   text        not null,
    digest     text        not null,
    frozen_at  timestamptz not null
);
create table member (
    project_id text   not null references cohort on delete cascade,
    person_id  bigint not null,
    accession  text   not null,
    primary key (project_id, accession)
);

-- Projects with images here: xnat_project is the id of the XNAT project that stands for the hub's.
create table project (
    project_id     text    primary key,
    name           text    not null,
    dicom_to_nifti boolean not null,
    xnat_project   text
);

-- Studies by the pseudonym of what was asked for; session is the pseudonym of what was found.
create table study (
    project_id text not null,
    study      text not null,
    accession  text not null,
    state      text not null default 'queued',
    attempt    int  not null default 0,
    session    text,
    code       text,
    primary key (project_id, study)
);

-- Runs whose code is prepared here.
create table run (
    run_id      text primary key,
    project_id  text not null,
    entry_point text not null,
    ended       boolean not null default false
);
