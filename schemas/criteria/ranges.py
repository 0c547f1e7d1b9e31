"""The leaves of criteria: concepts, ranges of numbers and dates, time windows, counts of occurrences."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_pascal

MAX_NUMBER = 1e12
MAX_DAYS = 100_000

Operator = Literal["lt", "lte", "eq", "!eq", "gt", "gte", "bt", "!bt"]
ConceptId = Annotated[int, Field(ge=0, le=2**31 - 1)]
Number = Annotated[int | float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=0, le=MAX_DAYS)]
Text = Annotated[str, StringConstraints(max_length=1000)]


class Part(BaseModel):
    """A piece of criteria: keys as Circe spells them; a key that is not listed is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_pascal, populate_by_name=True)

    def given(self, key: str) -> Any:
        """Return the value under a key of the JSON, or None where there is none."""
        names = (name for name, field in type(self).model_fields.items() if field.alias == key)
        return next((getattr(self, name) for name in names), None)


class Concept(Part):
    """A concept by its id; the rest is for people and other tools, and keys not listed are display only."""

    model_config = ConfigDict(extra="ignore", alias_generator=str.upper)

    concept_id: ConceptId
    concept_name: Text | None = None
    concept_code: Text | None = None
    domain_id: Text | None = None
    vocabulary_id: Text | None = None
    concept_class_id: Text | None = None
    standard_concept: Text | None = None
    standard_concept_caption: Text | None = None
    invalid_reason: Text | None = None
    invalid_reason_caption: Text | None = None


Concepts = Annotated[tuple[Concept, ...], Field(min_length=1, max_length=500)]


class ConceptSetChoice(Part):
    codeset_id: int
    is_exclusion: bool = False


class _Range(Part):
    op: Operator

    @model_validator(mode="after")
    def _has_both_ends(self) -> Self:
        if self.op.endswith("bt") != (getattr(self, "extent", None) is not None):
            raise ValueError("Give an Extent with the Op bt or !bt, and with no other")
        return self


class NumericRange(_Range):
    value: Number
    extent: Number | None = None


class DateRange(_Range):
    value: date
    extent: date | None = None


class WindowBound(Part):
    """So many days before (-1) or after (1); without days: all of the observation period on that side."""

    days: Days | None = None
    coeff: Literal[-1, 1]


class Window(Part):
    start: WindowBound
    end: WindowBound
    use_index_end: bool | None = None
    use_event_end: bool | None = None


class Occurrence(Part):
    """How many: `type` 0 exactly, 1 at most, 2 at least; distinct by `count_column`."""

    type: Literal[0, 1, 2]
    count: Annotated[int, Field(ge=0, le=10_000)]
    is_distinct: bool = False
    count_column: Literal["DOMAIN_CONCEPT", "START_DATE"] | None = None


def _capitalized(value: Any) -> Any:
    return value.capitalize() if isinstance(value, str) else value


class Limit(Part):
    type: Annotated[Literal["All", "First", "Last"], BeforeValidator(_capitalized)] = "All"
