-- No key and no constraint: an effect that happens twice shows as two rows.
create table effect (seq bigserial, counter_id text not null, number int not null);

-- One row each time a job is begun or brought to its end.
create table job_log (seq bigserial, counter_id text not null, number int not null, what text not null);

-- Jobs wait until their number is here.
create table gate (number int primary key);
