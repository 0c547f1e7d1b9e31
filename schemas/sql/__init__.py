"""The language of cohort queries: the SELECTs over the OMOP CDM that a trust will run, and what each is."""
