create table project (id text primary key, state jsonb not null);

-- Cohort queries, as cohort.events tell of them.
create table query (id text primary key, state jsonb not null);

-- Trusts, as they announce themselves: who may approve for each.
create table trust (trust_id text primary key, approvers text[] not null);
