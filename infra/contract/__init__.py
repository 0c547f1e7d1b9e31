"""The contract for others, made from `schemas/`: JSON Schemas and their revisions, the AsyncAPI document."""
