create table balance (account_id text primary key, events int not null, persons bigint not null);

-- The auditor's: what was posted of all that it heard was booked.
create table heard (posted_id text primary key);
