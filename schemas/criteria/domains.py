"""What each kind of event is in the OMOP CDM: its table, its dates, and the column behind each attribute of Circe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Domain:
    """A kind of event.

    `end`: the column of its last day; `end_optional`: it may be empty, and no `end` at all: the day after the start.
    `codes`, `numbers`: attribute -> column. `ages`: attribute -> whether it is at the event's end.
    `type_attribute` has a companion `...Exclude`.
    """

    table: str
    key: str
    concept: str
    start: str
    end: str | None = None
    end_optional: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    dates: tuple[str, str] = ("OccurrenceStartDate", "OccurrenceEndDate")
    ages: Mapping[str, bool] = field(default_factory=lambda: {"Age": False})
    length: str | None = None
    source: tuple[str, str] | None = None
    type_attribute: str | None = None
    in_visit: bool = True


_ERA_DATES = ("EraStartDate", "EraEndDate")
_AGES = {"AgeAtStart": False, "AgeAtEnd": True}

DOMAINS: Mapping[str, Domain] = MappingProxyType(
    {
        "ConditionOccurrence": Domain(
            "condition_occurrence",
            "condition_occurrence_id",
            "condition_concept_id",
            "condition_start_date",
            "condition_end_date",
            end_optional=True,
            codes={"ConditionType": "condition_type_concept_id", "ConditionStatus": "condition_status_concept_id"},
            source=("ConditionSourceConcept", "condition_source_concept_id"),
            type_attribute="ConditionType",
        ),
        "ConditionEra": Domain(
            "condition_era",
            "condition_era_id",
            "condition_concept_id",
            "condition_era_start_date",
            "condition_era_end_date",
            numbers={"OccurrenceCount": "condition_occurrence_count"},
            dates=_ERA_DATES,
            ages=_AGES,
            length="EraLength",
            in_visit=False,
        ),
        "DrugExposure": Domain(
            "drug_exposure",
            "drug_exposure_id",
            "drug_concept_id",
            "drug_exposure_start_date",
            "drug_exposure_end_date",
            end_optional=True,
            codes={"DrugType": "drug_type_concept_id", "RouteConcept": "route_concept_id"},
            numbers={"Refills": "refills", "Quantity": "quantity", "DaysSupply": "days_supply"},
            source=("DrugSourceConcept", "drug_source_concept_id"),
            type_attribute="DrugType",
        ),
        "DrugEra": Domain(
            "drug_era",
            "drug_era_id",
            "drug_concept_id",
            "drug_era_start_date",
            "drug_era_end_date",
            numbers={"OccurrenceCount": "drug_exposure_count", "GapDays": "gap_days"},
            dates=_ERA_DATES,
            ages=_AGES,
            length="EraLength",
            in_visit=False,
        ),
        "ProcedureOccurrence": Domain(
            "procedure_occurrence",
            "procedure_occurrence_id",
            "procedure_concept_id",
            "procedure_date",
            codes={"ProcedureType": "procedure_type_concept_id", "Modifier": "modifier_concept_id"},
            numbers={"Quantity": "quantity"},
            source=("ProcedureSourceConcept", "procedure_source_concept_id"),
            type_attribute="ProcedureType",
        ),
        "Measurement": Domain(
            "measurement",
            "measurement_id",
            "measurement_concept_id",
            "measurement_date",
            codes={
                "MeasurementType": "measurement_type_concept_id",
                "Operator": "operator_concept_id",
                "ValueAsConcept": "value_as_concept_id",
                "Unit": "unit_concept_id",
            },
            numbers={"ValueAsNumber": "value_as_number", "RangeLow": "range_low", "RangeHigh": "range_high"},
            source=("MeasurementSourceConcept", "measurement_source_concept_id"),
            type_attribute="MeasurementType",
        ),
        "Observation": Domain(
            "observation",
            "observation_id",
            "observation_concept_id",
            "observation_date",
            codes={
                "ObservationType": "observation_type_concept_id",
                "ValueAsConcept": "value_as_concept_id",
                "Qualifier": "qualifier_concept_id",
                "Unit": "unit_concept_id",
            },
            numbers={"ValueAsNumber": "value_as_number"},
            source=("ObservationSourceConcept", "observation_source_concept_id"),
            type_attribute="ObservationType",
        ),
        "DeviceExposure": Domain(
            "device_exposure",
            "device_exposure_id",
            "device_concept_id",
            "device_exposure_start_date",
            "device_exposure_end_date",
            end_optional=True,
            codes={"DeviceType": "device_type_concept_id"},
            numbers={"Quantity": "quantity"},
            source=("DeviceSourceConcept", "device_source_concept_id"),
            type_attribute="DeviceType",
        ),
        "VisitOccurrence": Domain(
            "visit_occurrence",
            "visit_occurrence_id",
            "visit_concept_id",
            "visit_start_date",
            "visit_end_date",
            codes={"VisitType": "visit_type_concept_id"},
            length="VisitLength",
            source=("VisitSourceConcept", "visit_source_concept_id"),
            type_attribute="VisitType",
            in_visit=False,
        ),
        "Death": Domain(
            "death",
            "person_id",
            "cause_concept_id",
            "death_date",
            codes={"DeathType": "death_type_concept_id"},
            source=("DeathSourceConcept", "cause_source_concept_id"),
            type_attribute="DeathType",
            in_visit=False,
        ),
        "Specimen": Domain(
            "specimen",
            "specimen_id",
            "specimen_concept_id",
            "specimen_date",
            codes={
                "SpecimenType": "specimen_type_concept_id",
                "Unit": "unit_concept_id",
                "AnatomicSite": "anatomic_site_concept_id",
                "DiseaseStatus": "disease_status_concept_id",
            },
            numbers={"Quantity": "quantity"},
            type_attribute="SpecimenType",
            in_visit=False,
        ),
        "ObservationPeriod": Domain(
            "observation_period",
            "observation_period_id",
            "period_type_concept_id",
            "observation_period_start_date",
            "observation_period_end_date",
            codes={"PeriodType": "period_type_concept_id"},
            dates=("PeriodStartDate", "PeriodEndDate"),
            ages=_AGES,
            length="PeriodLength",
            in_visit=False,
        ),
    },
)

IMAGE = "ImageOccurrence"
IMAGE_DOMAIN = Domain(
    "image_occurrence",
    "image_occurrence_id",
    "modality_concept_id",
    "image_occurrence_date",
    codes={"Modality": "modality_concept_id", "AnatomicSite": "anatomic_site_concept_id"},
)
ALL_DOMAINS: Mapping[str, Domain] = MappingProxyType({**DOMAINS, IMAGE: IMAGE_DOMAIN})
