"""The only wiring of the project service."""

from pathlib import Path

from bus.participant import Participant
from bus.proof.signing import TrustKeys
from bus.settings import HubSettings
from schemas.project import ProjectCommandAccepted, ProjectCommandRejected
from schemas.topics import subscription
from services.project.handlers import router

NAME = "project"


def participant(settings: HubSettings) -> Participant:
    return Participant(
        name=NAME,
        settings=settings,
        router=router,
        subscription=subscription(NAME),
        trust_keys=TrustKeys(settings.trust_keys),
        migrations=Path(__file__).parent / "migrations",
        accepted=ProjectCommandAccepted,
        rejected=ProjectCommandRejected,
    )
