-- Updates whose every byte was checked; what a closed round names is found here.
create table verified (
    run_id   text  not null,
    round    int   not null,
    trust_id text  not null,
    digest   text  not null,
    manifest jsonb not null,
    primary key (run_id, round, trust_id, digest)
);

-- The global model after each round: the next updates must have its layout.
create table global_model (
    run_id   text  not null,
    round    int   not null,
    manifest jsonb not null,
    primary key (run_id, round)
);

-- Runs that are over: their updates are of no use to anybody.
create table finished (run_id text primary key);
