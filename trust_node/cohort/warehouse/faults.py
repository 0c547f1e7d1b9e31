"""All that is told of a failure: PostgreSQL's own words may quote patients' values."""

from enum import StrEnum


class WarehouseFault(StrEnum):
    TIMEOUT = "timeout"
    QUERY_FAILED = "query_failed"
    UNREACHABLE = "warehouse_unreachable"
    INTERRUPTED = "warehouse_interrupted"
    BEHIND = "warehouse_behind"
    NOT_HARDENED = "warehouse_not_hardened"
    TOO_COSTLY = "too_costly"
    COLUMN_ABSENT = "column_absent"
    PERSON_ID_UNFIT = "person_id_unfit"
    NO_IMAGES = "no_images_in_warehouse"


AWAY = frozenset({WarehouseFault.UNREACHABLE, WarehouseFault.INTERRUPTED, WarehouseFault.BEHIND})
"""Faults of the moment, whatever was asked."""

BY_QUERY = frozenset({WarehouseFault.TIMEOUT, WarehouseFault.QUERY_FAILED, WarehouseFault.TOO_COSTLY})
"""Faults that rows, or the planner's statistics of them, decide: that they happen may tell of a person."""

_SENTENCES = {
    WarehouseFault.TIMEOUT: "The query took too long and was stopped: ask for less, or narrow it by concept and date.",
    WarehouseFault.QUERY_FAILED: "The warehouse could not carry out the query: ask the trust's data manager.",
    WarehouseFault.UNREACHABLE: "The warehouse does not answer: ask the trust's data manager to look at it.",
    WarehouseFault.INTERRUPTED: "The warehouse broke the query off for work of its own: ask again later, or for less.",
    WarehouseFault.BEHIND: "The warehouse's copy is too far behind its original: ask again later.",
    WarehouseFault.NOT_HARDENED: "The warehouse is not ready for queries: the trust has to harden it first.",
    WarehouseFault.TOO_COSTLY: "The query would read far too much and was not begun: join tables by person_id.",
    WarehouseFault.PERSON_ID_UNFIT: "The warehouse holds a person_id below zero: the trust has to correct its data.",
    WarehouseFault.NO_IMAGES: "The warehouse holds no image at all: it is taken to be loading; ask again later.",
}


class WarehouseError(Exception):
    """`name`: the table or column of the CDM that this warehouse lacks, if that is the fault."""

    def __init__(self, fault: WarehouseFault, name: str = "") -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.name = name

    @property
    def sentence(self) -> str:
        """What may be told outside the trust, with the remedy."""
        if self.fault is WarehouseFault.COLUMN_ABSENT:
            return f"This trust's warehouse has no {self.name}: ask without it, or leave this trust out."
        return _SENTENCES[self.fault]


class TooManyCellsError(Exception):
    def __init__(self, limit: int) -> None:
        super().__init__(f"The table has over {limit} cells; group more coarsely.")
        self.limit = limit
