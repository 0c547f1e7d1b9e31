-- Projects, as project.events tell of them.
create table project (id text primary key, state jsonb not null);

-- One import per project and trust: id is project/trust.
create table import (id text primary key, state jsonb not null);

-- The last step of each study: id is project/trust/pseudonym.
create table study (id text primary key, state jsonb not null);
