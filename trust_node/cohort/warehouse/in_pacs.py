"""Whether warehouse and PACS speak of the same studies, by a sample each way; only counts are told."""

from typing import Protocol

from trust_node.cohort.store import Warehouse
from trust_node.cohort.warehouse.traits import DAYS, KNOWN, SAMPLED
from trust_node.imaging.pacs.hits import InvalidAccessionError, StudyHit

MOST_DAYS = 5


class AsksPacs(Protocol):
    """What is needed of the PACS; raises PacsError."""

    async def find_studies(self, accession: str) -> list[StudyHit]: ...

    async def accessions_on(self, day: str) -> list[str]: ...


async def missing_in_pacs(warehouse: Warehouse, pacs: AsksPacs, sample: int) -> tuple[int, int]:
    """Return how many of the sampled accession numbers of the warehouse the PACS has not, and how many were asked."""
    sampled = [str(row[0]) for row in await warehouse.ask(SAMPLED, sample)]
    lost = [accession for accession in sampled if not await _is_there(pacs, accession)]
    return len(lost), len(sampled)


async def _is_there(pacs: AsksPacs, accession: str) -> bool:
    try:
        return bool(await pacs.find_studies(accession))
    except InvalidAccessionError:
        return False


async def missing_in_warehouse(warehouse: Warehouse, pacs: AsksPacs, sample: int) -> tuple[int, int]:
    """Return the same the other way, for studies of some days on which the warehouse has images."""
    days = [row[0] for row in await warehouse.ask(DAYS, MOST_DAYS)]
    found = {accession for day in days for accession in await pacs.accessions_on(f"{day:%Y%m%d}") if accession}
    asked = sorted(found)[:sample]
    known = {row[0] for row in await warehouse.ask(KNOWN, asked)}
    return len(set(asked) - known), len(asked)
