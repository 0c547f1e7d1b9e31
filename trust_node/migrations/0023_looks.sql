-- When somebody last looked in the warehouse who of a frozen cohort is still there; null: to be looked at before it is
-- used again. `usable`: whether it reached the trust's threshold then.
alter table cohort
    add column looked_at timestamptz,
    add column usable    boolean not null default true;
