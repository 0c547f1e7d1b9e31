"""What C-MOVE and C-GET have in common: the PACS is asked by C-ECHO and C-FIND, on a thread of its own."""

import asyncio
from dataclasses import dataclass

from trust_node.imaging.pacs.find import accessions_on, echo, find_studies
from trust_node.imaging.pacs.hits import StudyHit, exact_accession
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.spool import Spool


@dataclass(frozen=True, slots=True)
class ByDimse:
    """A PACS asked over DIMSE, whose images come to `spool`; see `Pacs` for what is promised."""

    peer: Peer
    spool: Spool

    async def echo(self) -> None:
        await asyncio.to_thread(echo, self.peer)

    async def find_studies(self, accession: str) -> list[StudyHit]:
        return await asyncio.to_thread(find_studies, self.peer, exact_accession(accession))

    async def accessions_on(self, day: str) -> list[str]:
        """See `find.accessions_on`."""
        return await asyncio.to_thread(accessions_on, self.peer, day)
