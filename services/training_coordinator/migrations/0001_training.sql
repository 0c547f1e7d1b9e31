create table model (id text primary key, state jsonb not null);
create table run (id text primary key, state jsonb not null);

-- What the events of other services tell of projects: members, approvals, cohorts, images.
create table project (id text primary key, state jsonb not null);

-- Trusts, as they announce themselves: who may approve for each.
create table trust (id text primary key, state jsonb not null);
