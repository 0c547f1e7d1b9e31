"""The SQL that OHDSI's own Circe makes of criteria, in PostgreSQL's words, as far as its index events and rules."""

import copy
import re
from typing import Any

from circe.cohortdefinition import CohortExpression
from circe.cohortdefinition.cohort_expression_query_builder import (
    BuildExpressionQueryOptions,
    CohortExpressionQueryBuilder,
)

from tests.unit.criteria.documents import Document

FOUND = "SELECT DISTINCT person_id FROM included_events"
# What the port gets wrong: a subquery around an empty group without a name, and columns it counts but doesn't select.
FAULTS = ("must have an alias", "domain_concept_id")
_IGNORED = {"trustflow"}
# The Python port of Circe leaves these unread.
_FORGOTTEN = {
    "Death": {"OccurrenceEndDate"},
    "Measurement": {"OccurrenceEndDate"},
    "ProcedureOccurrence": {"OccurrenceEndDate"},
    "DrugExposure": {"DrugTypeCS"},
}
_WORDS = (
    (r"--[^\n]*", ""),
    (r"UPDATE STATISTICS #\w+;", ""),
    (r"CREATE TABLE #", "CREATE TEMP TABLE "),
    (r"INTO #(?=\w+\s*FROM)", "INTO TEMP TABLE "),
    ("#", ""),
    (r"DATEDIFF\(d(?:ay)?,\s*([^,()]+),\s*([^,()]+)\)", r"(\2 - \1)"),
    (r"YEAR\(([\w.]+)\)", r"extract(year FROM \1)"),
    (r"DATEFROMPARTS\(", "make_date("),
    (r"DATEADD\(day,\s*(-?\d+|[\w.]+)\s*,\s*([\w.]+)\)", r"(\2 + (\1))"),
)


def comparable(document: Document) -> Document:
    """Return the document without what Circe, or its Python port, doesn't know."""
    plain = _without(copy.deepcopy(document), _IGNORED)
    plain["PrimaryCriteria"].setdefault("ObservationWindow", {"PriorDays": 0, "PostDays": 0})
    return plain


def _without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(each, keys) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _without(held, keys | _FORGOTTEN.get(key, set())) for key, held in value.items() if key not in keys}


def circe_sql(text: str) -> str:
    """Return statements that leave the cohort's events in the temporary table `included_events`."""
    options = BuildExpressionQueryOptions()
    options.cdm_schema = options.vocabulary_schema = options.result_schema = "public"
    options.target_table, options.cohort_id, options.generate_stats = "cohort", 1, False
    expression = CohortExpression.model_validate_json(text)
    sql = CohortExpressionQueryBuilder().build_expression_query(expression, options)
    return _in_postgresql(sql.split("-- generate cohort periods")[0])


def _in_postgresql(sql: str) -> str:
    sql = re.sub(
        r"\{(\d+) != 0\}\?\{(.*?)\n\}", lambda found: found[2] if found[1] != "0" else "", sql, flags=re.DOTALL
    )
    for pattern, words in _WORDS:
        sql = re.sub(pattern, words, sql, flags=re.IGNORECASE)
    return sql
