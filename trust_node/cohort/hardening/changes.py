"""One change to a server, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """`why`: what it is for. `touches`: whom else it may concern, empty for nobody."""

    sql: str
    why: str
    touches: str = ""
