"""Four views by which the reader tells what it could do and what is there, though it may read no catalogue."""

from pathlib import Path
from string import Template

from trust_node.cohort.hardening.facts import Columns
from trust_node.cohort.hardening.layout import Layout

ABOUT = ("columns", "exposed", "indexes", "release")
READ_BY_OWNER = (
    *("pg_proc", "pg_class", "pg_attribute", "pg_namespace", "pg_language", "pg_database", "pg_auth_members"),
    "pg_roles",
    "pg_index",
)
_TEXT = Path(__file__).with_name("about.sql")
# Of a database's rights CONNECT is `c`, TEMPORARY `T`, CREATE `C`.
_MORE_THAN_CONNECT = ("T", "C", "Tc", "CT", "CTc", "Cc")


def about(layout: Layout, database: str, clinical: Columns, vocabulary: Columns) -> list[str]:
    """Return the statements that make the views `exposed`, `columns`, `indexes` and `release`."""
    text = Template(_TEXT.read_text(encoding="utf-8")).substitute(
        about=layout.about_schema,
        views=layout.views_schema,
        ours=f"'{layout.views_schema}'::regnamespace, '{layout.about_schema}'::regnamespace",
        reader=f"(select r.oid from pg_catalog.pg_roles as r where r.rolname::text = '{layout.reader}')",  # noqa: S608
        database=database.replace("'", "''"),
        release=" union all ".join(_release(layout, clinical, vocabulary)),
        open_function=_open("p.proacl", layout),
        open_relation=_open("c.relacl", layout),
        open_column=_open("a.attacl", layout),
        open_schema=_open("n.nspacl", layout),
        open_language=_open("l.lanacl", layout),
        open_database=_open("d.datacl", layout, _MORE_THAN_CONNECT),
    )
    return text.split(";")


def _release(layout: Layout, clinical: Columns, vocabulary: Columns) -> list[str]:
    """What the CDM says of its versions, as far as its tables are there."""
    source = f"{layout.cdm_schema}.cdm_source"
    parts = ["select null::text as name, null::text as value where false"]
    if "cdm_version" in clinical.get("cdm_source", {}):
        parts.append(f"select 'cdm', cdm_version::text from {source}")  # noqa: S608  a checked name
    if "vocabulary_version" in clinical.get("cdm_source", {}):
        parts.append(f"select 'vocabulary of the source', vocabulary_version::text from {source}")  # noqa: S608
    if "vocabulary_version" in vocabulary.get("vocabulary", {}):
        table = f"{layout.vocabulary_schema}.vocabulary"
        parts.append(f"select 'vocabulary', vocabulary_version::text from {table} where vocabulary_id::text = 'None'")  # noqa: S608
    return parts


def _open(acl: str, layout: Layout, rights: tuple[str, ...] = ("%",)) -> str:
    """Whether these rights are PUBLIC's, which PostgreSQL writes as `=X/…`, or the reader's own."""
    tests = [
        f"{acl}::text like '%{before}{holder}={right}/%'"
        for holder in ("", layout.reader)
        for before in ("{", ",")
        for right in rights
    ]
    return f"({' or '.join(tests)})"
