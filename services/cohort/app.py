"""The only wiring of the cohort service."""

from pathlib import Path

from bus.participant import Participant
from bus.proof.signing import TrustKeys
from schemas.cohort import CohortCommandAccepted, CohortCommandRejected
from schemas.topics import subscription
from services.cohort.handlers import routes
from services.cohort.settings import Settings

NAME = "cohort"


def participant(settings: Settings) -> Participant:
    return Participant(
        name=NAME,
        settings=settings,
        router=routes(settings.answer_within_s),
        subscription=subscription(NAME),
        trust_keys=TrustKeys(settings.trust_keys),
        migrations=Path(__file__).parent / "migrations",
        accepted=CohortCommandAccepted,
        rejected=CohortCommandRejected,
    )
