create table balance (id text primary key, state jsonb not null);

-- The auditor's: what was posted of all that it heard was booked.
create table heard (id text primary key, state jsonb not null);
