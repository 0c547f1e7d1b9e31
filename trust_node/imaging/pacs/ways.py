"""The one thing the node asks a PACS through, and the three ways to do it."""

from typing import Protocol

from trust_node.imaging.pacs.get import ByGet
from trust_node.imaging.pacs.hits import Outcome, StudyHit
from trust_node.imaging.pacs.move import ByMove
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.pacs.site import WebSite
from trust_node.imaging.pacs.web import ByWeb
from trust_node.imaging.spool import Spool
from trust_node.settings import Settings


class Pacs(Protocol):
    """Every call has a connection of its own, in a thread, so that the event loop stays free."""

    async def echo(self) -> None:
        """Ask whether the PACS is there.

        Raises
        ------
        PacsError
            If it is not, or does not talk to us.
        """

    async def find_studies(self, accession: str) -> list[StudyHit]:
        """Return the studies whose accession number is exactly `accession`, case included.

        Raises
        ------
        InvalidAccessionError
            If it is empty, longer than 16 characters, or holds a wildcard; nobody is asked.
        PacsError
            If the PACS does not answer or refuses.
        """
        ...

    async def retrieve(self, hit: StudyHit) -> Outcome:
        """Bring the study's images into the spool and return how that ended.

        Raises
        ------
        PacsError
            If the PACS cannot be asked, ends half-way, stands still for too long, or sends what was not asked for;
            what came before stays in the spool.
        """
        ...


def open_pacs(settings: Settings, spool: Spool) -> ByMove | ByGet | ByWeb:
    """Return the PACS that the node's settings describe; nothing is connected yet.

    Raises
    ------
    ValueError
        If the way is DICOMweb and its address is missing or none.
    """
    stall_s = settings.pacs_stall_seconds
    if settings.pacs_way == "web":
        site = WebSite(settings.pacs_web_url or "", settings.pacs_web_authorization, settings.pacs_web_ca_file)
        return ByWeb(site, spool, stall_s)
    peer = Peer(settings.pacs_host, settings.pacs_port, settings.pacs_title, settings.receiver_title)
    if settings.pacs_way == "get":
        return ByGet(peer, spool, stall_s)
    return ByMove(peer, spool, settings.receiver_title, stall_s)
