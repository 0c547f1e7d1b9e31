"""Cohorts as criteria in the shape of OHDSI Circe (the JSON that ATLAS exports), compiled to one SELECT.

`read_circe` and `from_circe` take the common subset, `to_circe` gives it back, `compile_criteria` makes the SQL.
All raise `CriteriaError`, which names the JSON path and the remedy.
"""

from schemas.criteria.circe import Imported, from_circe, read_circe, to_circe
from schemas.criteria.cohort import Criteria
from schemas.criteria.compiler import Compiled, compile_criteria
from schemas.criteria.failure import CriteriaError

__all__ = [
    "Compiled",
    "Criteria",
    "CriteriaError",
    "Imported",
    "compile_criteria",
    "from_circe",
    "read_circe",
    "to_circe",
]
