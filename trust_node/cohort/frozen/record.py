"""The record of a frozen cohort, as the node keeps it."""

import hashlib
from dataclasses import dataclass, field

from schemas.cohort import FrozenRecord


@dataclass(frozen=True, slots=True)
class Frozen:
    """By what a cohort was frozen.

    `digest`, `told_persons`: what the hub was told of it. `persons`, `studies`: the true figures when it was frozen.
    Cohorts that an older version has frozen have no `sql` and what follows it.
    """

    project_id: str
    query_id: str
    digest: str
    sql: str | None = field(default=None, repr=False)
    is_frame: bool = False
    software: str | None = None
    cdm_version: str | None = None
    vocabulary_version: str | None = None
    persons: int | None = None
    studies: int | None = None
    told_persons: int | None = None
    approved_by: str | None = None

    @property
    def sql_sha256(self) -> str | None:
        return None if self.sql is None else hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def record(self) -> FrozenRecord | None:
        """What the hub is told of it, None of a cohort that an older version has frozen."""
        if self.sql_sha256 is None or self.software is None:
            return None
        return FrozenRecord(
            sql_sha256=self.sql_sha256,
            software=self.software,
            cdm_version=self.cdm_version,
            vocabulary_version=self.vocabulary_version,
            frame=self.is_frame,
        )
