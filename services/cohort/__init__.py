"""Cohort queries: asked at each trust, totalled from what the trusts release, frozen at approval."""
