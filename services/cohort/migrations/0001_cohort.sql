create table query (id text primary key, state jsonb not null);

-- Projects, as project.events tell of them.
create table project (id text primary key, state jsonb not null);

-- Trusts that have announced themselves.
create table trust (trust_id text primary key);
