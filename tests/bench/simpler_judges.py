"""Two policies as others have them, to see on the same corpora what they let through: by shape, and by words."""

import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

LONGEST = 10_240
logging.getLogger("sqlglot").setLevel(logging.ERROR)
_SCHEMAS = frozenset({"", "omop"})
_WORDS = re.compile(
    r"\b(insert|update|delete|drop|alter|create|truncate|grant|revoke|copy|execute|call|do|set|vacuum|lock|pg_\w+"
    r"|information_schema|dblink\w*|lo_\w+|into)\b|;.*\S",
    re.IGNORECASE | re.DOTALL,
)


def by_shape(sql: str) -> bool:
    """Whether a policy like FLIP's accepts: one SELECT or set operation, one schema, known functions, literal LIMIT."""
    if len(sql) > LONGEST:
        return False
    try:
        found = [statement for statement in sqlglot.parse(sql, dialect="postgres") if statement is not None]
    except (SqlglotError, RecursionError, ValueError):
        return False
    return len(found) == 1 and isinstance(found[0], exp.Query) and _is_tame(found[0])


def _is_tame(query: exp.Query) -> bool:
    writes = query.find(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Command, exp.Into)
    elsewhere = any(table.db.lower() not in _SCHEMAS for table in query.find_all(exp.Table))
    limits = query.find_all(exp.Limit, exp.Offset)
    literal = all(isinstance(limit.expression, exp.Literal) for limit in limits)
    return literal and not writes and not elsewhere and not query.find(exp.Anonymous)


def by_words(sql: str) -> bool:
    """Whether a list of forbidden words accepts a text that begins with SELECT or WITH."""
    return sql.lstrip(" \n\t(").lower().startswith(("select", "with")) and not _WORDS.search(sql)
