"""What is asked of a warehouse to tell whether cohorts on it will be slow, empty or wrong."""

from schemas.sql.allowed import CLINICAL_TABLES

# The concept that says what a row of the table is about.
CONCEPTS = {
    "visit_occurrence": "visit_concept_id",
    "condition_occurrence": "condition_concept_id",
    "drug_exposure": "drug_concept_id",
    "procedure_occurrence": "procedure_concept_id",
    "device_exposure": "device_concept_id",
    "measurement": "measurement_concept_id",
    "observation": "observation_concept_id",
}
ANCESTORS = ("ancestor_concept_id", "descendant_concept_id")
KEYED = tuple(table for table, columns in CLINICAL_TABLES.items() if f"{table}_id" in columns)
BAD_ACCESSIONS = """
SELECT count(*), sum(CASE WHEN accession_id IS NULL OR accession_id = '' THEN 1 ELSE 0 END),
  sum(CASE WHEN accession_id LIKE '%*%' OR accession_id LIKE '%?%' OR accession_id LIKE '%\\\\%' THEN 1 ELSE 0 END)
FROM image_occurrence
"""
SAMPLED = """
SELECT accession_id FROM (SELECT DISTINCT accession_id FROM image_occurrence WHERE accession_id <> '') AS named
ORDER BY hashtext(accession_id) LIMIT $1
"""
DAYS = """
SELECT image_occurrence_date FROM (SELECT DISTINCT image_occurrence_date FROM image_occurrence) AS days
ORDER BY hash_numeric(extract(year FROM image_occurrence_date) * 400 + extract(month FROM image_occurrence_date)),
  image_occurrence_date DESC LIMIT $1
"""
KNOWN = "SELECT DISTINCT accession_id FROM image_occurrence WHERE accession_id = ANY ($1)"


def unmapped(table: str) -> str:
    """Return the query of a table's rows, and of those whose concept is 0 or missing."""
    concept = CONCEPTS[table]
    lost = f"sum(CASE WHEN {concept} IS NULL OR {concept} = 0 THEN 1 ELSE 0 END)"
    return f"SELECT count(*), {lost} FROM {table}"  # noqa: S608  names of ours


def wanted_indexes(tables: frozenset[str]) -> list[tuple[str, str]]:
    """Return the columns that should have an index, of the tables that are there."""
    persons = [(table, "person_id") for table in CONCEPTS] + [("image_occurrence", "person_id")]
    wanted = [*persons, *CONCEPTS.items(), *(("concept_ancestor", column) for column in ANCESTORS)]
    return [(table, column) for table, column in wanted if table in tables]
