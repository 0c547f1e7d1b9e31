-- No key and no constraint: an effect that happens twice shows as two rows. `pid` tells which life had it.
create table effect (seq bigserial, strand text not null, number int not null, pid int not null);
create index effect_by_strand on effect (strand, number);
create index effect_by_pid on effect (pid);
