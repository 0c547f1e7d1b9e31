"""What the cohort service must be told."""

from bus.settings import HubSettings


class Settings(HubSettings):
    """``answer_within_s``: seconds a trust has to answer a query."""

    answer_within_s: float = 60.0
