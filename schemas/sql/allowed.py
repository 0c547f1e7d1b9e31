"""What a cohort query may read: tables and columns of the OMOP CDM 5.4 and MI-CDM, and what each column is.

Free text, source values, dates of birth, places, staff and image addresses are absent, so they are refused.
A test holds the columns against the CDM's own definition.
"""

from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a value is, and so what may be done with it."""

    PERSON = "person"
    ACCESSION = "accession"
    LINK = "link"  # the row id of a table whose rows belong to one person each
    KEY = "key"  # any other row id: joining by it may lead from one person to another
    CODED = "coded"
    LABEL = "label"
    BUCKET = "bucket"
    PLAIN = "plain"
    CONSTANT = "constant"


IDENTIFIERS = frozenset({Kind.PERSON, Kind.ACCESSION, Kind.LINK, Kind.KEY})
ONE_PERSON = frozenset({Kind.PERSON, Kind.ACCESSION, Kind.LINK})
GROUPABLE = frozenset({Kind.CODED, Kind.LABEL, Kind.BUCKET, Kind.CONSTANT})
MEASURABLE = frozenset({Kind.PLAIN, Kind.BUCKET, Kind.CONSTANT})

SCHEMA = "omop"

_CLINICAL = {
    "person": (
        "person_id gender_concept_id year_of_birth race_concept_id ethnicity_concept_id "
        "gender_source_concept_id race_source_concept_id ethnicity_source_concept_id"
    ),
    "observation_period": (
        "observation_period_id person_id observation_period_start_date "
        "observation_period_end_date period_type_concept_id"
    ),
    "visit_occurrence": (
        "visit_occurrence_id person_id visit_concept_id visit_start_date "
        "visit_start_datetime visit_end_date visit_end_datetime visit_type_concept_id "
        "visit_source_concept_id admitted_from_concept_id discharged_to_concept_id "
        "preceding_visit_occurrence_id"
    ),
    "visit_detail": (
        "visit_detail_id person_id visit_detail_concept_id visit_detail_start_date "
        "visit_detail_start_datetime visit_detail_end_date visit_detail_end_datetime "
        "visit_detail_type_concept_id visit_detail_source_concept_id "
        "admitted_from_concept_id discharged_to_concept_id preceding_visit_detail_id "
        "parent_visit_detail_id visit_occurrence_id"
    ),
    "condition_occurrence": (
        "condition_occurrence_id person_id condition_concept_id condition_start_date "
        "condition_start_datetime condition_end_date condition_end_datetime "
        "condition_type_concept_id condition_status_concept_id visit_occurrence_id "
        "visit_detail_id condition_source_concept_id"
    ),
    "drug_exposure": (
        "drug_exposure_id person_id drug_concept_id drug_exposure_start_date "
        "drug_exposure_start_datetime drug_exposure_end_date drug_exposure_end_datetime "
        "verbatim_end_date drug_type_concept_id refills quantity days_supply "
        "route_concept_id visit_occurrence_id visit_detail_id drug_source_concept_id"
    ),
    "procedure_occurrence": (
        "procedure_occurrence_id person_id procedure_concept_id procedure_date "
        "procedure_datetime procedure_end_date procedure_end_datetime "
        "procedure_type_concept_id modifier_concept_id quantity visit_occurrence_id "
        "visit_detail_id procedure_source_concept_id"
    ),
    "device_exposure": (
        "device_exposure_id person_id device_concept_id device_exposure_start_date "
        "device_exposure_start_datetime device_exposure_end_date "
        "device_exposure_end_datetime device_type_concept_id quantity visit_occurrence_id "
        "visit_detail_id device_source_concept_id unit_concept_id unit_source_concept_id"
    ),
    "measurement": (
        "measurement_id person_id measurement_concept_id measurement_date "
        "measurement_datetime measurement_type_concept_id operator_concept_id "
        "value_as_number value_as_concept_id unit_concept_id range_low range_high "
        "visit_occurrence_id visit_detail_id measurement_source_concept_id "
        "unit_source_concept_id measurement_event_id meas_event_field_concept_id"
    ),
    "observation": (
        "observation_id person_id observation_concept_id observation_date "
        "observation_datetime observation_type_concept_id value_as_number "
        "value_as_concept_id qualifier_concept_id unit_concept_id visit_occurrence_id "
        "visit_detail_id observation_source_concept_id observation_event_id "
        "obs_event_field_concept_id"
    ),
    "death": ("person_id death_date death_datetime death_type_concept_id cause_concept_id cause_source_concept_id"),
    "note": (
        "note_id person_id note_date note_datetime note_type_concept_id "
        "note_class_concept_id encoding_concept_id language_concept_id "
        "visit_occurrence_id visit_detail_id note_event_id note_event_field_concept_id"
    ),
    "specimen": (
        "specimen_id person_id specimen_concept_id specimen_type_concept_id specimen_date "
        "specimen_datetime quantity unit_concept_id anatomic_site_concept_id "
        "disease_status_concept_id"
    ),
    "drug_era": (
        "drug_era_id person_id drug_concept_id drug_era_start_date drug_era_end_date drug_exposure_count gap_days"
    ),
    "dose_era": (
        "dose_era_id person_id drug_concept_id unit_concept_id dose_value dose_era_start_date dose_era_end_date"
    ),
    "condition_era": (
        "condition_era_id person_id condition_concept_id condition_era_start_date "
        "condition_era_end_date condition_occurrence_count"
    ),
    "episode": (
        "episode_id person_id episode_concept_id episode_start_date "
        "episode_start_datetime episode_end_date episode_end_datetime episode_parent_id "
        "episode_number episode_object_concept_id episode_type_concept_id "
        "episode_source_concept_id"
    ),
    "episode_event": "episode_id event_id episode_event_field_concept_id",
    "image_occurrence": (
        "image_occurrence_id person_id procedure_occurrence_id visit_occurrence_id "
        "anatomic_site_concept_id modality_concept_id image_occurrence_date accession_id"
    ),
    "image_feature": (
        "image_feature_id person_id image_occurrence_id "
        "image_feature_event_field_concept_id image_feature_event_id "
        "image_feature_concept_id image_feature_type_concept_id image_finding_concept_id "
        "image_finding_id anatomic_site_concept_id"
    ),
}

_VOCABULARY = {
    "concept": (
        "concept_id concept_name domain_id vocabulary_id concept_class_id "
        "standard_concept concept_code valid_start_date valid_end_date invalid_reason"
    ),
    "vocabulary": "vocabulary_id vocabulary_name vocabulary_version vocabulary_concept_id",
    "domain": "domain_id domain_name domain_concept_id",
    "concept_class": "concept_class_id concept_class_name concept_class_concept_id",
    "concept_relationship": (
        "concept_id_1 concept_id_2 relationship_id valid_start_date valid_end_date invalid_reason"
    ),
    "relationship": (
        "relationship_id relationship_name is_hierarchical defines_ancestry "
        "reverse_relationship_id relationship_concept_id"
    ),
    "concept_synonym": "concept_id concept_synonym_name language_concept_id",
    "concept_ancestor": ("ancestor_concept_id descendant_concept_id min_levels_of_separation max_levels_of_separation"),
    "drug_strength": (
        "drug_concept_id ingredient_concept_id amount_value amount_unit_concept_id "
        "numerator_value numerator_unit_concept_id denominator_value "
        "denominator_unit_concept_id box_size valid_start_date valid_end_date "
        "invalid_reason"
    ),
}

_ROW_IDS = frozenset(f"{table}_id" for table in _CLINICAL)


def _clinical_kind(column: str) -> Kind:
    match column:
        case "person_id":
            return Kind.PERSON
        case "accession_id":
            return Kind.ACCESSION
        case "year_of_birth":
            return Kind.BUCKET
    if "concept_id" in column:
        return Kind.CODED
    if column in _ROW_IDS:
        return Kind.LINK
    return Kind.KEY if column.endswith("_id") else Kind.PLAIN


def _vocabulary_kind(column: str) -> Kind:
    return Kind.CODED if "concept_id" in column else Kind.LABEL


CLINICAL_TABLES = {
    table: {column: _clinical_kind(column) for column in columns.split()} for table, columns in _CLINICAL.items()
}
VOCABULARY_TABLES = {
    table: {column: _vocabulary_kind(column) for column in columns.split()} for table, columns in _VOCABULARY.items()
}
TABLES = CLINICAL_TABLES | VOCABULARY_TABLES
COLUMN_NAMES = frozenset(column for columns in TABLES.values() for column in columns)

# Labels that very many concepts have in common.
SHARED = frozenset(
    {"domain_id", "vocabulary_id", "concept_class_id", "standard_concept", "invalid_reason", "relationship_id"}
    | {"is_hierarchical", "defines_ancestry", "valid_start_date", "valid_end_date"}
)

# Amounts as somebody wrote them down, of any size: a number made of one may not fit where it is cast to.
WIDE_COLUMNS = frozenset(
    {"value_as_number", "range_low", "range_high", "quantity", "dose_value", "amount_value", "box_size"}
    | {"numerator_value", "denominator_value"}
)

WHOLE_COLUMNS = MappingProxyType(
    {
        "procedure_occurrence": ("quantity",),
        "device_exposure": ("quantity",),
        "drug_strength": ("box_size",),
    }
)
"""Those of them that are whole numbers: a product of these may not fit."""
