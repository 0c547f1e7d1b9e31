"""The trust's own policy: a TOML file that the hub cannot see, and never overrules."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.ids import UserId
from trust_node.cohort.release import ReleasePolicy
from trust_node.imaging.deid.policy import DeidPolicy
from trust_node.imaging.pacs.policy import PacsPolicy
from trust_node.people.mail import EmailAddress
from trust_node.training.isolation import Limits


class Policy(BaseModel):
    """Every key of the file; an unknown one is an error, so that no rule is lost to a slip of the pen.

    Attributes
    ----------
    approvers
        Who may approve projects and training code for this trust.
    small_number_threshold
        Fewest distinct persons a released number may stand for.
    rounding
        Released numbers are multiples of this.
    noise
        Standard deviation, in persons, of what is added to a project's first answer; it grows with each question.
    answers_per_user_daily, answers_per_project_daily, answers_per_project
        New answers that a user and a project may be given in a day (UTC), and a project in all.
    failures_daily
        Queries of a user or a project that the warehouse may fail to answer in a day; then it is asked no more.
    isolation
        ``bubblewrap``: training code runs behind that wall or not at all.
        ``none``: it may run bare where there is no wall, and the run says so.
    task_seconds, memory_bytes, update_bytes
        Limits of one training task.
    parallel_queries, waiting_queries
        Cohort queries that run at once, half of them of one project at most; how many of one project may wait.
    parallel_studies
        Studies that may be on their way from the PACS at once.
    pacs
        When and how hard the PACS may be asked, and what to do where several studies carry one accession number.
    deid
        The floor of de-identification: what no project can lower.
    content_bytes
        Originals kept for the next project that asks for the same study; the longest unused go first.
    step_minutes, import_retries, import_days
        How long a step of one study's import may take, how often it is tried again by itself, and after how many days
        a study that is still on its way has failed.
    opt_out_minutes
        How often the node looks in the warehouse who has left a frozen cohort.
    keep_archive
        What is in the trust's XNAT stays there when a project ends; everything else of it goes.
    people
        E-mail address by user id: who of a project's members may have an account in the trust's XNAT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    approvers: tuple[UserId, ...] = Field(min_length=1)
    small_number_threshold: int = Field(default=10, ge=2)
    rounding: int = Field(default=5, ge=1)
    noise: float = Field(default=10.0, ge=0)
    answers_per_user_daily: int = Field(default=40, ge=1)
    answers_per_project_daily: int = Field(default=80, ge=1)
    answers_per_project: int = Field(default=400, ge=1)
    failures_daily: int = Field(default=10, ge=1)
    isolation: Literal["bubblewrap", "none"] = "bubblewrap"
    task_seconds: float = Field(default=1800.0, gt=0)
    memory_bytes: int = Field(default=8 * 2**30, gt=0)
    update_bytes: int = Field(default=2 * 2**30, gt=0)
    threads: int = Field(default=1, ge=1)
    parallel_queries: int = Field(default=4, ge=2, le=12)
    waiting_queries: int = Field(default=50, ge=1)
    parallel_studies: int = Field(default=3, ge=1, le=32)
    pacs: PacsPolicy = PacsPolicy()
    deid: DeidPolicy = DeidPolicy()
    content_bytes: int = Field(default=50 * 2**30, ge=0)
    step_minutes: float = Field(default=30.0, gt=0)
    import_retries: int = Field(default=5, ge=0, le=20)
    import_days: float = Field(default=14.0, gt=0)
    opt_out_minutes: float = Field(default=15.0, ge=1, le=60)
    keep_archive: bool = False
    people: Mapping[UserId, EmailAddress] = Field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the file; raises pydantic's ValidationError naming the key at fault."""
        return cls.model_validate(tomllib.loads(file.read_text()))

    @property
    def release(self) -> ReleasePolicy:
        return ReleasePolicy(
            threshold=self.small_number_threshold,
            rounding=self.rounding,
            noise=self.noise,
            user_daily=self.answers_per_user_daily,
            project_daily=self.answers_per_project_daily,
            project_limit=self.answers_per_project,
            failures_daily=self.failures_daily,
        )

    @property
    def limits(self) -> Limits:
        return Limits(
            memory=self.memory_bytes, update=self.update_bytes, task_seconds=self.task_seconds, threads=self.threads
        )
