"""One kind of event with its attributes: a model for each domain, made from the table of domains."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from pydantic import Field, create_model, model_validator

from schemas.criteria.domains import ALL_DOMAINS, DOMAINS, IMAGE, IMAGE_DOMAIN, Domain
from schemas.criteria.ranges import Concepts, ConceptSetChoice, DateRange, NumericRange, Part

if TYPE_CHECKING:
    from schemas.criteria.cohort import Group


class Event(Part):
    """Events of one domain: of a concept set (absent: any), only the person's first, with nested criteria."""

    codeset_id: int | None = None
    first: bool | None = None
    correlated_criteria: "Group | None" = None


def attribute_types(domain: Domain) -> dict[str, Any]:
    """Return each attribute that Circe has for the domain, and the type of its value."""
    coded = [*domain.codes, "Gender", *(["VisitType"] if domain.in_visit else [])]
    ranged = [*domain.numbers, *domain.ages, *([domain.length] if domain.length else [])]
    return {
        **dict.fromkeys(coded, Concepts | None),
        **dict.fromkeys((f"{name}CS" for name in coded), ConceptSetChoice | None),
        **dict.fromkeys(ranged, NumericRange | None),
        **dict.fromkeys(domain.dates, DateRange | None),
        **({domain.source[0]: int | None} if domain.source else {}),
        **({f"{domain.type_attribute}Exclude": bool | None} if domain.type_attribute else {}),
    }


def _event_model(name: str, domain: Domain) -> type[Event]:
    extra: dict[str, Any] = {"AccessionPresent": bool | None} if domain is IMAGE_DOMAIN else {}
    return create_model(name, __base__=Event, __module__=__name__, **_optional(attribute_types(domain) | extra))


def _optional(types: Mapping[str, Any]) -> dict[str, Any]:
    return {key: (kind, Field(None, alias=key)) for key, kind in types.items()}


EVENT_MODELS: Mapping[str, type[Event]] = {name: _event_model(name, domain) for name, domain in ALL_DOMAINS.items()}


class Chosen(Part):
    """The object around an event that names its domain: exactly one key."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"Give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def domain_name(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def domain(self) -> Domain:
        return ALL_DOMAINS[self.domain_name]

    @property
    def event(self) -> Event:
        event: Event = getattr(self, self.domain_name)
        return event


def _chosen_model(name: str, domains: Mapping[str, Domain] | tuple[str, ...]) -> Any:
    return create_model(
        name, __base__=Chosen, __module__=__name__, **_optional({key: EVENT_MODELS[key] | None for key in domains})
    )


if TYPE_CHECKING:
    ClinicalEvent: TypeAlias = Chosen
    ImageEvent: TypeAlias = Chosen
else:
    ClinicalEvent = _chosen_model("ClinicalEvent", DOMAINS)
    ImageEvent = _chosen_model("ImageEvent", (IMAGE,))


def event_models() -> Iterator[type[Part]]:
    """Yield the models that wait for the definition of a group, dependencies first."""
    yield from EVENT_MODELS.values()
    yield from (ClinicalEvent, ImageEvent)
