"""What is still to be done to a warehouse's server: statements with their reasons; nothing for one that is hardened."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from trust_node.cohort.hardening.changes import Statement
from trust_node.cohort.hardening.executable import executable
from trust_node.cohort.hardening.facts import Facts
from trust_node.cohort.hardening.hazards import purpose
from trust_node.cohort.hardening.layout import OURS, Layout, others_of, owner_of
from trust_node.cohort.hardening.searching import searched
from trust_node.cohort.hardening.showing import shown

CONNECTIONS = 16
READER = f"{OURS} reads a warehouse by this role"
SETTINGS = {
    "default_transaction_read_only": "on",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "30s",
    "client_connection_check_interval": "1s",
    "temp_file_limit": "2GB",
    "work_mem": "32MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_statement": "none",
}


def plan(layout: Layout, facts: Facts) -> list[Statement]:
    """Return what to execute, in order, in one transaction."""
    return [
        *_roles(layout, facts),
        *_others(layout, facts),
        *_database(layout, facts),
        *_revokes(facts),
        *_own_grants(layout, facts),
        *shown(layout, facts),
        *searched(layout, facts),
        *_settings(layout, facts),
    ]


def _roles(layout: Layout, facts: Facts) -> Iterator[Statement]:
    if owner_of(facts.database) not in facts.roles:
        yield Statement(
            f"CREATE ROLE {owner_of(facts.database)} NOLOGIN NOINHERIT", "owns the views, and nobody logs in as it"
        )
    if layout.reader not in facts.roles:
        why = "the role of queries; set its password, the one of TRUSTFLOW_WAREHOUSE_URL, by psql's \\password"
        yield Statement(f"CREATE ROLE {layout.reader} LOGIN NOINHERIT CONNECTION LIMIT {CONNECTIONS}", why)
    elif not facts.reader_is_plain:
        attributes = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
        yield Statement(
            f"ALTER ROLE {layout.reader} {attributes} CONNECTION LIMIT {CONNECTIONS}", "the reader may log in, no more"
        )
    if layout.reader not in facts.readers:
        yield Statement(f"COMMENT ON ROLE {layout.reader} IS '{READER}'", "marks it as no ordinary user of the cluster")
    for group in facts.reader_groups:
        yield Statement(f"REVOKE {group} FROM {layout.reader}", "a group's rights would be the reader's")


def _others(layout: Layout, facts: Facts) -> Iterator[Statement]:
    others = others_of(facts.database)
    if others not in facts.roles:
        yield Statement(f"CREATE ROLE {others} NOLOGIN", "keeps for everybody else what PUBLIC loses below")
    for role in sorted(facts.guests - facts.members_of_others - {layout.reader}):
        yield Statement(
            f'GRANT {others} TO "{role}"',
            "goes on working as before",
            f"{role}: keeps its rights by this role; give it to roles that are made later",
        )


def _database(layout: Layout, facts: Facts) -> Iterator[Statement]:
    name = f'"{facts.database}"'
    if facts.database_rights:
        right = f"{', '.join(sorted(facts.database_rights))} ON DATABASE {name}"
        yield Statement(f"GRANT {right} TO {others_of(facts.database)}", "as before for everybody else")
        yield Statement(
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
            "no temporary tables, and no way in for roles that nobody thought of",
            "every other role of the cluster keeps its rights by the role above",
        )
    if facts.reader_rights != {"CONNECT"}:
        yield Statement(f"REVOKE ALL ON DATABASE {name} FROM {layout.reader}", "the reader may enter, no more")
        yield Statement(f"GRANT CONNECT ON DATABASE {name} TO {layout.reader}", "the reader may enter, no more")


def _revokes(facts: Facts) -> Iterator[Statement]:
    for schema, rights in facts.schemas.items():
        yield from _taken(facts, f'{rights} ON SCHEMA "{schema}"', "nothing outside the views can be named")
    for relation, rights in facts.relations:
        yield from _taken(
            facts, f"{rights} ON {relation}", "the catalogue holds values of patients (pg_stats) and names"
        )
    for language in facts.languages:
        yield from _taken(facts, f"USAGE ON LANGUAGE {language}", "no DO blocks")
    for why, functions in _grouped(facts.functions).items():
        yield from _taken(facts, f"EXECUTE ON ROUTINE {', '.join(functions)}", f"functions that could {why}")


def _grouped(functions: Sequence[str]) -> dict[str, list[str]]:
    grouped = defaultdict(list)
    for signature in functions:
        if signature not in executable():
            grouped[purpose(signature)].append(signature)
    return grouped


def _taken(facts: Facts, right: str, why: str) -> Iterator[Statement]:
    yield Statement(f"GRANT {right} TO {others_of(facts.database)}", "as before for everybody else")
    yield Statement(f"REVOKE {right} FROM PUBLIC", why, "other roles of this database keep it by the role above")


def _own_grants(layout: Layout, facts: Facts) -> Iterator[Statement]:
    for thing in facts.reader_grants:
        yield Statement(f"REVOKE ALL ON {thing} FROM {layout.reader}", "the reader sees views only")
    if lacking := sorted(facts.withheld & executable()):
        right = f"EXECUTE ON ROUTINE {', '.join(lacking)}"
        yield Statement(f"GRANT {right} TO {layout.reader}", "what queries may call since this version")


def _settings(layout: Layout, facts: Facts) -> Iterator[Statement]:
    wanted = SETTINGS | {"search_path": layout.views_schema, "statement_timeout": layout.statement_timeout}
    for name, value in wanted.items():
        if facts.reader_settings.get(name) != value:
            yield Statement(
                f"ALTER ROLE {layout.reader} IN DATABASE \"{facts.database}\" SET {name} = '{value}'",
                "a limit for each of its sessions; the node sets its own limits each time besides",
            )
