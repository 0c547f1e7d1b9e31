"""The only wiring of the training coordinator."""

import platform
from importlib.metadata import version
from pathlib import Path

from bus.participant import Participant
from bus.proof.signing import TrustKeys
from schemas.bundle import BundleLimits
from schemas.topics import subscription
from schemas.training import TrainingCommandAccepted, TrainingCommandRejected
from services.training_coordinator.handlers import Handlers
from services.training_coordinator.scanning import Scanning
from services.training_coordinator.settings import Settings

NAME = "training_coordinator"


def participant(settings: Settings) -> Participant:
    grants = settings.grants
    software = {"trustflow": version("trustflow"), "python": platform.python_version()}
    return Participant(
        name=NAME,
        settings=settings,
        router=Handlers(grants, settings.max_bundle_bytes, software).router(),
        subscription=subscription(NAME),
        trust_keys=TrustKeys(settings.trust_keys),
        migrations=Path(__file__).parent / "migrations",
        lanes=Scanning(grants, BundleLimits(packed=settings.max_bundle_bytes)).lanes(),
        accepted=TrainingCommandAccepted,
        rejected=TrainingCommandRejected,
    )
