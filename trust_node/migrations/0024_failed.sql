-- Questions that the warehouse failed to answer, or not in time: that alone may tell something of the data.
alter table question add column failed boolean not null default false;
