"""What a warehouse's server says about itself before it is hardened."""

from collections.abc import Mapping
from dataclasses import dataclass

Columns = Mapping[str, Mapping[str, str]]
"""Type of each column by table."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a plan is made from.

    `tables`: columns by schema and table. `functions`, `relations`, `schemas`, `languages`, `database`: what everybody
    (PUBLIC) may use, with the privileges in SQL's own words where there are several.
    `guests`: who else may enter this database, superusers apart; `readers`: roles that are marked as readers.
    `withheld`: functions that neither PUBLIC nor the reader may call.
    `reader_rights`: its own on the database.
    `trigrams`: the schema of the extension `pg_trgm`, empty where it is still to be created, None where the server has
    none; `names_without_trigrams`: the tables of the vocabulary whose names have no index of it.
    `reader_grants`: what the reader has rights of its own on, as `REVOKE ALL ON …` wants it.
    """

    database: str
    server_version: str
    is_superuser: bool
    in_recovery: bool
    roles: frozenset[str]
    guests: frozenset[str]
    readers: frozenset[str]
    members_of_others: frozenset[str]
    reader_groups: tuple[str, ...]
    reader_is_plain: bool
    tables: Mapping[str, Columns]
    functions: tuple[str, ...]
    withheld: frozenset[str]
    relations: tuple[tuple[str, str], ...]
    schemas: Mapping[str, str]
    languages: tuple[str, ...]
    database_rights: frozenset[str]
    reader_rights: frozenset[str]
    reader_grants: tuple[str, ...]
    reader_settings: Mapping[str, str]
    comments: Mapping[str, str]
    trigrams: str | None
    names_without_trigrams: frozenset[str]
