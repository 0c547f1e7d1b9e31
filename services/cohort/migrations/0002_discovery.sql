-- The versions of each cohort of a project, named project/cohort.
create table cohort (id text primary key, state jsonb not null);

-- Words looked up in the vocabularies of trusts.
create table search (id text primary key, state jsonb not null);
