"""The part of a plan that makes concept search fast: trigram indexes on names, where the server has `pg_trgm`."""

from collections.abc import Iterator

from trust_node.cohort.hardening.changes import Statement
from trust_node.cohort.hardening.facts import Facts
from trust_node.cohort.hardening.layout import Layout

NAMES = {"concept": "concept_name", "concept_synonym": "concept_synonym_name"}
"""The columns that words are looked for in, by table of the vocabulary."""


def searched(layout: Layout, facts: Facts) -> Iterator[Statement]:
    """Yield what makes the indexes that are lacking; nothing for a server without the extension."""
    if facts.trigrams is None or not facts.names_without_trigrams:
        return
    schema = facts.trigrams or layout.vocabulary_schema
    if not facts.trigrams:
        yield Statement(f"CREATE EXTENSION pg_trgm SCHEMA {schema}", "brings trigram indexes; the reader can't name it")
    for table in sorted(facts.names_without_trigrams):
        yield Statement(
            f"CREATE INDEX ON {layout.vocabulary_schema}.{table} USING gin ({NAMES[table]} {schema}.gin_trgm_ops)",
            "concepts are found by words without reading every name",
            "who loads the vocabulary: waits while the index is made, and loads more slowly with it",
        )
