"""Each place that refuses is the one that refuses some line of the hostile corpus, so none may be lost unseen."""

import ast
import traceback
from pathlib import Path

import pytest

import schemas.sql
from schemas.sql import refusal
from schemas.sql.judge import judge
from schemas.sql.words import (
    AGGREGATES,
    CUTS,
    DATE_PARTS,
    NEIGHBOURS,
    RANKINGS,
    ROUNDINGS,
    SPECIAL,
    TEXTS,
    TYPES,
)
from tests.corpora.reading import good, hostile

FOLDER = Path(schemas.sql.__file__).parent
# Another rule comes first today, whatever the query; these would hold if that one were loosened.
BACKSTOPS = ("FROM may hold only", "Only INNER, LEFT", "WITH may hold only SELECT", "Such a part of a query")


def _sites() -> set[tuple[str, int]]:
    return {
        (file.name, node.lineno)
        for file in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == "RefusedQueryError" and not _is_backstop(node)
    }


def _is_backstop(call: ast.Call) -> bool:
    return any(phrase in ast.unparse(call) for phrase in BACKSTOPS)


def _sites_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    seen: set[tuple[str, int]] = set()
    made = refusal.RefusedQueryError.__init__

    def noted(self: refusal.RefusedQueryError, *arguments: object, **named: object) -> None:
        frame = traceback.extract_stack(limit=2)[0]
        seen.add((Path(frame.filename).name, frame.lineno or 0))
        made(self, *arguments, **named)

    monkeypatch.setattr(refusal.RefusedQueryError, "__init__", noted)
    for sample in hostile():
        judge(sample.sql)
        judge(sample.sql, needs_accession=True)
    return seen


def test_each_place_that_refuses_is_needed_for_a_line_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    unused = _sites() - _sites_of_the_corpus(monkeypatch)
    assert not unused, sorted(unused)


def test_each_listed_function_and_type_is_one_that_a_good_query_needs() -> None:
    written = " ".join(sample.sql for sample in good()).lower()
    names = AGGREGATES | RANKINGS | NEIGHBOURS | DATE_PARTS | ROUNDINGS | TEXTS | CUTS | SPECIAL
    spelt = {"btrim": "trim", "int4": "int", "int8": "bigint", "bpchar": "char"}
    listed = names | TYPES
    unused = sorted(name for name in listed if spelt.get(name, name) not in written)
    assert not unused, unused
