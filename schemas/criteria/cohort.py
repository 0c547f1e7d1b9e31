"""Criteria of a cohort: index events, then rules about what happened around them.

Images are ours, not Circe's: they stand under the key `trustflow`, which other tools ignore.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from schemas.criteria.events import Chosen, ClinicalEvent, ImageEvent, event_models
from schemas.criteria.ranges import (
    Concept,
    Concepts,
    ConceptSetChoice,
    DateRange,
    Days,
    Limit,
    NumericRange,
    Occurrence,
    Part,
    Text,
    Window,
)

MAX_LISTED = 50


class ConceptSetItem(Part, alias_generator=to_camel):
    concept: Concept
    is_excluded: bool = False
    include_descendants: bool = False
    include_mapped: bool = False


class ConceptSetExpression(Part, alias_generator=to_camel):
    items: Annotated[tuple[ConceptSetItem, ...], Field(max_length=1000)] = ()


class ConceptSet(Part, alias_generator=to_camel):
    id: int
    name: Text = ""
    expression: ConceptSetExpression = ConceptSetExpression()


class Demographic(Part):
    """About the person at the event: age in calendar years, sex, origin, and when the event was."""

    age: NumericRange | None = None
    gender: Concepts | None = None
    gender_cs: Annotated[ConceptSetChoice | None, Field(alias="GenderCS")] = None
    race: Concepts | None = None
    race_cs: Annotated[ConceptSetChoice | None, Field(alias="RaceCS")] = None
    ethnicity: Concepts | None = None
    ethnicity_cs: Annotated[ConceptSetChoice | None, Field(alias="EthnicityCS")] = None
    occurrence_start_date: DateRange | None = None
    occurrence_end_date: DateRange | None = None


class Windowed(Part):
    """Events in time windows around the event that the group is about."""

    criteria: ClinicalEvent
    start_window: Window | None = None
    end_window: Window | None = None
    ignore_observation_period: bool | None = None
    restrict_visit: Literal[False] = False

    @property
    def chosen(self) -> Chosen:
        chosen: Chosen = self.criteria
        return chosen


class Counted(Windowed):
    occurrence: Occurrence = Occurrence(type=2, count=1)


class CountedImages(Counted):
    criteria: ImageEvent


class WindowedImages(Windowed):
    criteria: ImageEvent


class GroupImages(Part):
    criteria_list: Annotated[tuple[CountedImages, ...], Field(max_length=MAX_LISTED)] = ()


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class Group(Part):
    """Conditions of which all, any, at least or at most `count` must hold; an empty group always holds."""

    type: Annotated[Literal["ALL", "ANY", "AT_LEAST", "AT_MOST"], BeforeValidator(_upper)] = "ALL"
    count: Annotated[int, Field(ge=0, le=MAX_LISTED)] | None = None
    criteria_list: Annotated[tuple[Counted, ...], Field(max_length=MAX_LISTED)] = ()
    demographic_criteria_list: Annotated[tuple[Demographic, ...], Field(max_length=MAX_LISTED)] = ()
    groups: Annotated[tuple["Group", ...], Field(max_length=MAX_LISTED)] = ()
    trustflow: Annotated[GroupImages | None, Field(alias="trustflow")] = None

    @model_validator(mode="after")
    def _count_is_given(self) -> Self:
        if self.type.startswith("AT_") and self.count is None:
            raise ValueError("Give a Count with the Type AT_LEAST or AT_MOST")
        return self

    @property
    def counted(self) -> tuple[Counted, ...]:
        return self.criteria_list + (self.trustflow.criteria_list if self.trustflow else ())


class InclusionRule(Part, alias_generator=to_camel):
    name: Annotated[str, Field(max_length=120)] = ""
    description: Text | None = None
    expression: Group = Group()


class ObservationWindow(Part):
    prior_days: Days = 0
    post_days: Days = 0


class PrimaryImages(Part):
    criteria_list: Annotated[tuple[ImageEvent, ...], Field(max_length=MAX_LISTED)] = ()


class PrimaryCriteria(Part):
    """The index events: any of these, inside an observation period with so many days before and after."""

    criteria_list: Annotated[tuple[ClinicalEvent, ...], Field(max_length=MAX_LISTED)] = ()
    observation_window: ObservationWindow = ObservationWindow()
    primary_criteria_limit: Limit = Limit()
    trustflow: Annotated[PrimaryImages | None, Field(alias="trustflow")] = None

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        images: tuple[Any, ...] = self.trustflow.criteria_list if self.trustflow else ()
        return (*self.criteria_list, *images)

    @model_validator(mode="after")
    def _has_an_event(self) -> Self:
        if not self.chosen:
            raise ValueError("Give at least one index event in CriteriaList")
        return self


class HandOver(Part):
    """Which images of the persons are handed over; without it, all that have an accession number."""

    hand_over: WindowedImages | None = None


class Criteria(Part):
    """A cohort definition: the common subset of Circe's `CohortExpression`."""

    concept_sets: Annotated[tuple[ConceptSet, ...], Field(max_length=200)] = ()
    primary_criteria: PrimaryCriteria
    additional_criteria: Group | None = None
    qualified_limit: Limit = Limit()
    expression_limit: Limit = Limit()
    inclusion_rules: Annotated[tuple[InclusionRule, ...], Field(max_length=MAX_LISTED)] = ()
    trustflow: Annotated[HandOver | None, Field(alias="trustflow")] = None

    @model_validator(mode="after")
    def _sets_have_ids_of_their_own(self) -> Self:
        if len({each.id for each in self.concept_sets}) != len(self.concept_sets):
            raise ValueError("Give each of the ConceptSets an id of its own")
        return self


for _model in event_models():
    _model.model_rebuild(_types_namespace={"Group": Group})
for _model in (Windowed, Counted, CountedImages, WindowedImages, GroupImages, Group, PrimaryImages, PrimaryCriteria):
    _model.model_rebuild(force=True)
for _model in (InclusionRule, HandOver, Criteria):
    _model.model_rebuild(force=True)
