"""`SELECT m.*` of a table inside a subquery, written out: the columns of it that the query names somewhere.

Only what is listed may be read, so the star itself cannot run; what the query does not name, it does not need.
"""

from collections.abc import Iterator
from typing import Any

import postgast

from schemas.sql.allowed import TABLES
from schemas.sql.source import Cut


def stars(tree: Any, encoded: bytes, words: list[Any]) -> list[Cut]:
    """Return the stars that can be written out, and what stands in their place."""
    if b"*" not in encoded or not tree.stmts:
        return []
    nodes = [node for _, node in postgast.walk(tree)]
    named = {name.string.sval for node in nodes if node.DESCRIPTOR.name == "ColumnRef" for name in node.fields}
    places = {word.start: place for place, word in enumerate(words)}
    return [
        _written_out(target, table, named, words[places[target.location] :])
        for select in _subqueries(nodes)
        for target, table in _starred(select)
        if target.location in places
    ]


def _subqueries(nodes: list[Any]) -> Iterator[Any]:
    for node in nodes:
        match node.DESCRIPTOR.name:
            case "RangeSubselect" if not node.alias.colnames:
                yield node.subquery.select_stmt
            case "CommonTableExpr" if not node.aliascolnames:
                yield node.ctequery.select_stmt


def _starred(select: Any) -> Iterator[tuple[Any, tuple[str, str]]]:
    tables = [pair for source in select.from_clause for pair in _tables(source)]
    for target in select.target_list:
        fields = target.res_target.val.column_ref.fields
        if not fields or not fields[-1].HasField("a_star"):
            continue
        meant = [pair for pair in tables if len(fields) == 1 or pair[0] == fields[0].string.sval]
        if len(meant) == 1 and meant[0][1] in TABLES and (len(fields) > 1 or len(tables) == 1):
            yield target.res_target, meant[0]


def _tables(source: Any) -> Iterator[tuple[str, str]]:
    if source.HasField("join_expr"):
        yield from _tables(source.join_expr.larg)
        yield from _tables(source.join_expr.rarg)
    elif source.HasField("range_var"):
        yield source.range_var.alias.aliasname or source.range_var.relname, source.range_var.relname
    else:
        yield source.range_subselect.alias.aliasname, ""


def _written_out(target: Any, table: tuple[str, str], named: set[str], words: list[Any]) -> Cut:
    columns = [column for column in TABLES[table[1]] if column in named] or ["person_id"]
    star = next(word for word in words if word.token == postgast.pg_query_pb2.Token.Value("ASCII_42"))
    quoted = '"' + table[0].replace('"', '""') + '"'
    return Cut(target.location, star.end, ", ".join(f"{quoted}.{column}" for column in columns).encode())
