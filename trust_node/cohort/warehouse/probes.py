"""What must not work: each statement is tried on the live server as the reader, and has to be stopped."""

from dataclasses import dataclass

# 42501 no right; 42P01, 42703, 3F000 nothing of that name to be seen; 42883 no such function; 0A000 not possible on a
# view; 25006 read-only; 42704, 58P01 no such object.
STOPPED = frozenset({"42501", "42P01", "42703", "3F000", "42883", "0A000", "25006", "42704"})
TIMER_S = 0.2


@dataclass(frozen=True, slots=True)
class Probe:
    """`stops_by`: the SQLSTATEs that prove that it was stopped."""

    name: str
    sql: str
    stops_by: frozenset[str] = STOPPED


def probes(cdm_schema: str) -> tuple[Probe, ...]:
    """Return every probe; none of them changes anything where it is not stopped."""
    return tuple(Probe(name, sql.replace("{cdm}", cdm_schema)) for name, sql in _PROBES.items())


RUNS_LONG = Probe(
    "run on after its time",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT count(*) FROM n",
    frozenset({"57014"}),
)
# SHOW can't be taken away; only a superuser sets these, so a session can't lift them.
HELD = {"temp_file_limit": "2GB", "log_min_error_statement": "panic"}

_PROBES = {
    "read the CDM's tables": "SELECT person_id FROM {cdm}.person LIMIT 0",
    "read notes": "SELECT note_text FROM {cdm}.note LIMIT 0",
    "see source values": "SELECT person_source_value FROM person LIMIT 0",
    "see dates of birth": "SELECT birth_datetime FROM person LIMIT 0",
    "write": "UPDATE person SET year_of_birth = year_of_birth WHERE false",
    "delete": "DELETE FROM person WHERE false",
    "lock rows": "SELECT person_id FROM person LIMIT 0 FOR UPDATE",
    "make a temporary table": "CREATE TEMPORARY TABLE probe (a int)",
    "make a table": "CREATE TABLE probe (a int)",
    "make a function": "CREATE FUNCTION probe() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "run a block of code": "DO $$BEGIN END$$",
    "copy to a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "copy to a file": "COPY (SELECT 1) TO '/dev/null'",
    "read a file": "SELECT pg_read_file('PG_VERSION')",
    "list a folder": "SELECT pg_ls_dir('.')",
    "import a large object": "SELECT lo_import('/dev/null')",
    "make a large object": "SELECT lo_from_bytea(0, '')",
    "set a setting": "SELECT set_config('application_name', 'trustflow-cohort', false)",
    "read a setting": "SELECT current_setting('data_directory', true)",
    "sleep": "SELECT pg_sleep(0)",
    "hold an advisory lock": "SELECT pg_advisory_xact_lock(0)",
    "end another's query": "SELECT pg_cancel_backend(0)",
    "notify": "SELECT pg_notify('probe', '')",
    "execute text by XML": "SELECT query_to_xml('SELECT 1', true, false, '')",
    "execute text by search": "SELECT * FROM ts_stat('SELECT NULL::tsvector')",
    "reach another server": "SELECT dblink('', 'SELECT 1')",
    "read statistics": "SELECT most_common_vals FROM pg_catalog.pg_stats LIMIT 0",
    "read others' queries": "SELECT query FROM pg_catalog.pg_stat_activity LIMIT 0",
    "read the roles": "SELECT rolname FROM pg_catalog.pg_roles LIMIT 0",
    "read the catalogue": "SELECT relname FROM pg_catalog.pg_class LIMIT 0",
    "read the information schema": "SELECT table_name FROM information_schema.tables LIMIT 0",
    "make many rows": "SELECT generate_series(1, 1)",
    "make long texts": "SELECT repeat('x', 1)",
    "fold rows into one": "SELECT array_agg(1)",
    "fold a row into JSON": "SELECT row_to_json(ROW(1))",
    "draw at random": "SELECT random()",
    "draw a sample": "SELECT person_id FROM person TABLESAMPLE SYSTEM (1) LIMIT 0",
    "see physical rows": "SELECT ctid FROM person LIMIT 0",
    "tell the server's version": "SELECT version()",
    "change its role": "SET ROLE pg_read_all_data",
    "write a sequence": "SELECT nextval('probe')",
}
