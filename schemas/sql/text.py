"""The text before its grammar: its size, its characters, and spellings that two PostgreSQLs may read differently."""

import re
from typing import Any

import postgast
from postgast.pg_query_pb2 import Token

from schemas.sql.refusal import RefusalCode, RefusedQueryError

MAX_BYTES = 20_000
MAX_BRACKETS = 200
MAX_WORDS = 6_000
_TOP = re.compile(r"\bTOP\b", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(rb"\d+|(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d{1,3})?")


def _kinds(*names: str) -> frozenset[int]:
    return frozenset(Token.Value(name) for name in names)


_COMMENTS = _kinds("C_COMMENT", "SQL_COMMENT")
_ESCAPED = _kinds("UIDENT", "USCONST")
_NUMBERS = _kinds("ICONST", "FCONST")
_TEXT = Token.Value("SCONST")
_SPELLED = _ESCAPED | _NUMBERS | {_TEXT}


def check_text(sql: str) -> None:
    """Refuse a text that is too long, too deep, or holds characters that do not show."""
    if len(sql.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise RefusedQueryError(RefusalCode.TOO_LONG, f"The query is over {MAX_BYTES} bytes; shorten it.")
    for place, character in enumerate(sql):
        if not (character.isprintable() or character in "\n\r\t "):
            raise RefusedQueryError(
                RefusalCode.BAD_CHARACTER,
                "The query holds a control, invisible or unpaired character; retype it as plain text.",
                len(sql[:place].encode()),
            )
    _check_brackets(sql)


def _check_brackets(sql: str) -> None:
    if sql.count("(") <= MAX_BRACKETS:
        return
    depth = 0
    for place, character in enumerate(sql):
        depth += (character == "(") - (character == ")")
        if depth > MAX_BRACKETS:
            raise too_deep(len(sql[:place].encode()))


def too_deep(at: int | None = None) -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.TOO_DEEP,
        "The query is nested too deeply; flatten it or use WITH.",
        at,
    )


def syntax_error(sql: str, error: postgast.PgQueryError) -> RefusedQueryError:
    # The parser's own words may quote the query's constants, so they are not passed on.
    place = max(error.cursorpos - 1, 0)
    return RefusedQueryError(
        RefusalCode.SYNTAX,
        f"PostgreSQL cannot read this query from here on; {_hint(sql)}",
        len(sql[:place].encode()),
    )


def _hint(sql: str) -> str:
    """Return the remedy for what other databases and templates have."""
    if "@" in sql:
        return "fill in the @parameters of the template."
    if "`" in sql or "[" in sql:
        return 'write names as they are or in "double quotes".'
    return "write LIMIT at the end instead of TOP." if _TOP.search(sql) else "check its syntax."


def tokens(sql: str) -> list[Any]:
    """Return the words of the text, comments left out; each has `start` and `end` in bytes and `token`."""
    try:
        found = postgast.scan(sql).tokens
    except postgast.PgQueryError as error:
        raise syntax_error(sql, error) from None
    if len(found) > MAX_WORDS:
        raise RefusedQueryError(
            RefusalCode.TOO_COMPLEX,
            f"The query has over {MAX_WORDS} words; use concept_ancestor instead of long lists.",
            found[MAX_WORDS].start,
        )
    return [token for token in found if token.token not in _COMMENTS]


def check_spelling(encoded: bytes, words: list[Any]) -> None:
    """Refuse escaped names and texts, and numbers that only newer servers read as one."""
    for word in words:
        if word.token not in _SPELLED:
            continue
        written = encoded[word.start : word.end]
        if word.token in _ESCAPED or (word.token == _TEXT and not _is_plain(written)):
            raise RefusedQueryError(
                RefusalCode.SPELLING,
                "Escaped and dollar-quoted spellings are not allowed; write plain 'text' without backslashes.",
                word.start,
            )
        if word.token in _NUMBERS and not _PLAIN_NUMBER.fullmatch(written):
            raise RefusedQueryError(RefusalCode.SPELLING, "Write numbers with plain decimal digits.", word.start)


def _is_plain(written: bytes) -> bool:
    return written.startswith(b"'") and b"\\" not in written
