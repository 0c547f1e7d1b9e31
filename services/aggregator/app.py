"""The only wiring of the aggregator."""

from pathlib import Path

from bus.objects import ObjectLane
from bus.participant import Participant
from bus.proof.signing import TrustKeys
from schemas.topics import subscription
from services.aggregator.handlers import router
from services.aggregator.settings import Settings
from services.aggregator.spool import Spool
from services.aggregator.strategy import FedAvg
from services.aggregator.work import Workshop

NAME = "aggregator"


def participant(settings: Settings) -> Participant:
    workshop = Workshop(
        store=settings.objects,
        objects=ObjectLane(),
        spool=Spool(settings.spool_dir),
        strategy=FedAvg(),
        grant_lasts=settings.grant_lasts,
        max_size=settings.max_model_bytes,
    )
    return Participant(
        name=NAME,
        settings=settings,
        router=router,
        subscription=subscription(NAME),
        trust_keys=TrustKeys(settings.trust_keys),
        migrations=Path(__file__).parent / "migrations",
        lanes=workshop.lanes(),
        running=workshop.running,
    )
