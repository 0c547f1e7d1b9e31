"""From criteria to one SELECT that the judge accepts, and one for each step of the attrition.

Index events are found first, each inside an observation period; everything after is a condition about the person of
an index event, so that no subquery looks at anyone else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.criteria.cohort import Criteria, Windowed, WindowedImages
from schemas.criteria.events import ImageEvent
from schemas.criteria.failure import CriteriaError
from schemas.criteria.narrowing import Narrowing

# As many bytes as the judge reads, and messages carry.
MAX_BYTES = 20_000
FIRST_STEP = "Index event"
ADDITIONAL_STEP = "Additional criteria"
IMAGES_STEP = "Images to hand over"

_ANY_IMAGE = WindowedImages(criteria=ImageEvent.model_validate({"ImageOccurrence": {}}), ignore_observation_period=True)


@dataclass(frozen=True, slots=True)
class Compiled:
    """`sql` lists the cohort. `rules`: name and query of who is left after each step and all before it."""

    sql: str
    rules: tuple[tuple[str, str], ...]


def compile_criteria(criteria: Criteria, *, images: bool) -> Compiled:
    """Return the cohort's query and its attrition.

    Parameters
    ----------
    criteria
        What `from_circe` read.
    images
        Whether the query hands over images: it then selects `person_id, accession_id`, otherwise `person_id`.

    Raises
    ------
    CriteriaError
        A concept set is missing, or the query gets longer than the judge reads.
    """
    rules = tuple(_steps(criteria))
    if not images:
        return Compiled(_checked(rules[-1][1]), rules)
    with_images = (IMAGES_STEP, _images(criteria, accession=False))
    return Compiled(_checked(_images(criteria, accession=True)), (*rules, with_images))


def _steps(criteria: Criteria) -> Iterator[tuple[str, str]]:
    yield FIRST_STEP, Narrowing(criteria).people()
    if criteria.additional_criteria:
        yield ADDITIONAL_STEP, _included(criteria, 0).people()
    for at, rule in enumerate(criteria.inclusion_rules, 1):
        yield rule.name.strip() or f"Rule {at}", _included(criteria, at).people()


def _included(criteria: Criteria, rules: int) -> Narrowing:
    """Return the index events that meet the additional criteria and so many of the rules."""
    narrowing = Narrowing(criteria)
    if criteria.additional_criteria:
        narrowing.require([criteria.additional_criteria])
        narrowing.keep(criteria.qualified_limit, "qualified")
    narrowing.require(rule.expression for rule in criteria.inclusion_rules[:rules])
    return narrowing


def _images(criteria: Criteria, *, accession: bool) -> str:
    narrowing = _included(criteria, len(criteria.inclusion_rules))
    narrowing.keep(criteria.expression_limit, "included")
    return narrowing.images(_handed_over(criteria), accession=accession)


def _handed_over(criteria: Criteria) -> Windowed:
    wanted = criteria.trustflow.hand_over if criteria.trustflow else None
    return wanted or _ANY_IMAGE


def _checked(sql: str) -> str:
    size = len(sql.encode())
    if size > MAX_BYTES:
        raise CriteriaError("$", f"The query would be {size} bytes, over {MAX_BYTES}; use fewer rules or concepts.")
    return sql
