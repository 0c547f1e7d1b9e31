-- What the project asks of de-identification, as its approver saw it.
alter table project add column deid jsonb;
