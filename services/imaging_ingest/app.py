"""The only wiring of the imaging ingest service."""

from pathlib import Path

from bus.participant import Participant
from bus.proof.signing import TrustKeys
from bus.settings import HubSettings
from schemas.imaging import ImagingCommandAccepted, ImagingCommandRejected
from schemas.topics import subscription
from services.imaging_ingest.handlers import router

NAME = "imaging_ingest"


def participant(settings: HubSettings) -> Participant:
    return Participant(
        name=NAME,
        settings=settings,
        router=router,
        subscription=subscription(NAME),
        trust_keys=TrustKeys(settings.trust_keys),
        migrations=Path(__file__).parent / "migrations",
        accepted=ImagingCommandAccepted,
        rejected=ImagingCommandRejected,
    )
