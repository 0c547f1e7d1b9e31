"""The warehouse's server as its administrator sees it: facts to plan from, and the plan carried out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from trust_node.cohort.hardening import questions
from trust_node.cohort.hardening.changes import Statement
from trust_node.cohort.hardening.executable import executable
from trust_node.cohort.hardening.facts import Facts
from trust_node.cohort.hardening.layout import Layout, others_of
from trust_node.cohort.hardening.plan import plan
from trust_node.cohort.hardening.searching import NAMES


class HardeningError(ValueError):
    """The server can't be hardened as it is; the text says what to do."""


async def harden(admin_dsn: str, layout: Layout) -> list[Statement]:
    """Do what is still to be done, in one transaction, and return it; raises HardeningError."""
    async with _administrator(admin_dsn) as connection, connection.transaction():
        statements = plan(layout, await _facts(connection, layout))
        await _carry_out(connection, statements)
        return statements


async def planned(admin_dsn: str, layout: Layout) -> list[Statement]:
    """Return what `harden` would do, changing nothing; raises HardeningError."""
    async with _administrator(admin_dsn) as connection, connection.transaction(readonly=True):
        return plan(layout, await _facts(connection, layout))


async def harden_on(connection: Any, layout: Layout) -> list[Statement]:
    """Do it on an administrator's connection, within the transaction that is open there."""
    statements = plan(layout, await _facts(connection, layout))
    await _carry_out(connection, statements)
    return statements


async def _carry_out(connection: Any, statements: Sequence[Statement]) -> None:
    for statement in statements:
        try:
            await connection.execute(statement.sql)
        except asyncpg.PostgresError as error:
            # Rights and views only: no statement here touches a row.
            raise HardeningError(f"the server refused: {error.sqlstate} at {statement.sql[:200]}") from None


@asynccontextmanager
async def _administrator(dsn: str) -> AsyncIterator[Any]:
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise HardeningError(f"no connection as administrator ({type(error).__name__}): correct --admin-url") from None
    try:
        yield connection
    finally:
        await connection.close()


async def _facts(connection: Any, layout: Layout) -> Facts:
    facts = await _read(connection, layout)
    if not facts.is_superuser:
        raise HardeningError("only a superuser may take rights from PUBLIC in pg_catalog: name one by --admin-url")
    if facts.in_recovery:
        raise HardeningError("this server is a replica: harden its primary, the replica follows")
    comments = {schema: facts.comments.get(schema) for schema in (layout.views_schema, layout.about_schema)}
    if strangers := [name for name, text in comments.items() if text is not None and not text.startswith("trustflow")]:
        raise HardeningError(f"a schema {strangers[0]} is there and not ours: choose another views_schema")
    return facts


async def _read(connection: Any, layout: Layout) -> Facts:
    ask = connection.fetch
    server = await connection.fetchrow(questions.SERVER)
    return Facts(
        database=server["database"],
        server_version=server["version"],
        is_superuser=server["superuser"],
        in_recovery=server["recovery"],
        roles=_first(await ask(questions.ROLES)),
        guests=_first(await ask(questions.GUESTS)),
        readers=_first(await ask(questions.READERS)),
        members_of_others=_first(await ask(questions.MEMBERS, others_of(server["database"]))),
        reader_groups=tuple(_first(await ask(questions.GROUPS, layout.reader))),
        reader_is_plain=bool(await connection.fetchval(questions.IS_PLAIN, layout.reader)),
        tables=_tables(await ask(questions.COLUMNS)),
        functions=tuple(sorted(_first(await ask(questions.FUNCTIONS)))),
        withheld=_first(await ask(questions.WITHHELD, layout.reader)),
        relations=tuple((row[0], row[1]) for row in await ask(questions.RELATIONS)),
        schemas=dict(map(tuple, await ask(questions.SCHEMAS))),
        languages=tuple(_first(await ask(questions.LANGUAGES))),
        database_rights=_first(await ask(questions.DATABASE)),
        reader_rights=_first(await ask(questions.READER_DATABASE, layout.reader)),
        reader_grants=tuple([grant async for grant in _reader_grants(connection, layout)]),
        reader_settings=dict(map(tuple, await ask(questions.READER_SETTINGS, layout.reader))),
        comments=dict(map(tuple, await ask(questions.COMMENTS))),
        trigrams=await connection.fetchval(questions.TRIGRAMS),
        names_without_trigrams=_first(
            await ask(questions.NAMES, layout.vocabulary_schema, list(NAMES), list(NAMES.values()))
        ),
    )


async def _reader_grants(connection: Any, layout: Layout) -> AsyncIterator[str]:
    reader, ours = layout.reader, [layout.views_schema, layout.about_schema]
    for row in await connection.fetch(questions.READER_GRANTS, reader, ours):
        yield row[0]
    for row in await connection.fetch(questions.READER_SCHEMAS, reader, ours):
        yield f'SCHEMA "{row[0]}"'
    for row in await connection.fetch(questions.READER_FUNCTIONS, reader):
        if row[0] not in executable():
            yield f"ROUTINE {row[0]}"


def _first(rows: list[Any]) -> frozenset[str]:
    return frozenset(str(row[0]) for row in rows)


def _tables(rows: list[Any]) -> dict[str, dict[str, dict[str, str]]]:
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, kind in rows:
        tables.setdefault(schema, {}).setdefault(table, {})[column] = kind
    return tables
