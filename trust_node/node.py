"""The only wiring of a trust node."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bus.lanes import Lanes
from bus.objects import ObjectLane
from bus.participant import Participant
from bus.proof.signing import Signer
from bus.uow import UnitOfWork
from schemas.topics import subscription, trust_principal
from schemas.trust import TrustAnnounced
from trust_node.cohort.concepts import ConceptLane
from trust_node.cohort.freezing import Freezing
from trust_node.cohort.frozen.looking import Looking
from trust_node.cohort.frozen.shrinking import Shrinking
from trust_node.cohort.frozen.using import Using
from trust_node.cohort.lane import CohortLane
from trust_node.cohort.office import Office
from trust_node.cohort.store import Warehouse
from trust_node.handlers import routes
from trust_node.imaging.asks import Asks
from trust_node.imaging.comparing import Comparing
from trust_node.imaging.content import ContentStore
from trust_node.imaging.conversion import Dcm2niix, ScanConverter
from trust_node.imaging.covering import Covering
from trust_node.imaging.deid import DeidKeys, plan
from trust_node.imaging.lane import ImagingLane
from trust_node.imaging.pacs import PacedPacs, open_pacs
from trust_node.imaging.pacs.pace import Pace
from trust_node.imaging.planning import Planning
from trust_node.imaging.projects import ProjectLanes
from trust_node.imaging.purging import Purging
from trust_node.imaging.receiver import Receiver
from trust_node.imaging.spool import Spool
from trust_node.imaging.study import Importer
from trust_node.imaging.watching import ReceiverCollector
from trust_node.imaging.withdrawing import Withdrawing
from trust_node.imaging.workers import process_pool
from trust_node.imaging.xnat import Xnat
from trust_node.people.admitting import Admitting
from trust_node.policy import Policy
from trust_node.settings import Settings
from trust_node.software import versions
from trust_node.training.isolation import isolation_level
from trust_node.training.lane import TrainingLane
from trust_node.training.runs import Runs

DEIDENTIFIERS = 2


@dataclass(slots=True)
class Node:
    """A trust's node: what it is told, what it may do, and the parts that are open while it runs."""

    settings: Settings
    policy: Policy
    _importer: Importer = field(init=False)
    _objects: ObjectLane = field(init=False)
    _pace: Pace = field(init=False)
    _warehouse: Warehouse = field(init=False)
    _office: Office = field(init=False)
    _looking: Looking = field(init=False)

    def __post_init__(self) -> None:
        self._pace = self.policy.pacs.pace()
        self._warehouse = self.settings.warehouse
        self._office = Office.of(self._warehouse, self.policy.release, self.settings.trust_key)
        shrinking = Shrinking(self.settings.trust_id, self._warehouse, self._office)
        self._looking = Looking(shrinking, timedelta(minutes=self.policy.opt_out_minutes))

    def participant(self) -> Participant:
        keys = DeidKeys(self.settings.trust_key)
        runs = Runs(self.settings.data_directory, self.policy)
        asks = Asks(self.settings.trust_id, timedelta(days=self.policy.import_days))
        signer = Signer.open(self.settings.signing_key_file)
        return Participant(
            name=trust_principal(self.settings.trust_id),
            settings=self.settings,
            router=routes(self.policy, asks),
            subscription=subscription(trust_principal(self.settings.trust_id)),
            migrations=Path(__file__).parent / "migrations",
            lanes=self._lanes(runs, asks, signer),
            signer=signer,
            on_start=self._start,
            running=lambda: self._running(keys, runs),
            unready=lambda: (*self._warehouse.unready(), *self._looking.unready()),
        )

    def _lanes(self, runs: Runs, asks: Asks, signer: Signer) -> Lanes:
        lanes, settings = Lanes(), self.settings
        warehouse, office, looking = self._warehouse, self._office, self._looking
        CohortLane(warehouse, office, self.policy.parallel_queries).join(lanes)
        Freezing(warehouse, office).join(lanes)
        ConceptLane(warehouse).join(lanes)
        looking.join(lanes)
        using = Using(looking, warehouse, settings.trust_key)
        self._join_imaging(lanes, asks, signer)
        TrainingLane(settings.trust_id, runs, using, lambda: self._importer.xnat, lambda: self._objects).join(lanes)
        return lanes

    def _join_imaging(self, lanes: Lanes, asks: Asks, signer: Signer) -> None:
        policy, settings, looking = self.policy, self.settings, self._looking
        projects = settings.data_directory / "projects"
        ImagingLane(
            asks,
            lambda: self._importer,
            policy.parallel_studies,
            policy.import_retries,
            policy.pacs.several_studies.value,
            self._pace.ready_at,
            looking,
        ).join(lanes)
        ProjectLanes(
            Planning(asks, DeidKeys(settings.trust_key), looking.shrinking),
            Comparing(asks, lambda: self._importer),
            Purging(settings.trust_id, lambda: self._importer, signer, projects, keeps_archive=policy.keep_archive),
            Withdrawing(lambda: self._importer, projects, keeps_archive=policy.keep_archive),
            Covering(settings.trust_id, lambda: self._importer.xnat, projects, looking),
            Admitting(settings.trust_id, lambda: self._importer.xnat, policy.people, settings.mail_server),
        ).join(lanes)

    @asynccontextmanager
    async def _running(self, keys: DeidKeys, runs: Runs) -> AsyncIterator[None]:
        settings = self.settings
        spool = Spool(settings.data_directory / "spool")
        xnat = Xnat(settings.xnat_url, settings.xnat_user, settings.xnat_password)
        name = trust_principal(settings.trust_id)
        with self._receiving(spool), process_pool(DEIDENTIFIERS, name, settings.log) as pool:
            async with xnat, ObjectLane() as self._objects:
                self._importer = self._made_importer(spool, keys, pool, xnat)
                proof = asyncio.create_task(self._warehouse.keep_proving())
                try:
                    yield
                finally:
                    proof.cancel()
                    await runs.close()

    @contextmanager
    def _receiving(self, spool: Spool) -> Iterator[None]:
        """Open the port only if the PACS is to call it."""
        settings = self.settings
        if settings.pacs_way != "move":
            yield
            return
        receiver = Receiver(
            spool,
            settings.receiver_title,
            settings.receiver_host,
            settings.receiver_port,
            (settings.pacs_title,),
            settings.receiver_networks,
            participant=trust_principal(settings.trust_id),
            form=settings.log,
        )
        with receiver, ReceiverCollector(receiver.figures):
            yield

    def _made_importer(self, spool: Spool, keys: DeidKeys, pool: ProcessPoolExecutor, xnat: Xnat) -> Importer:
        settings = self.settings
        content = ContentStore(settings.content_directory, self.policy.content_bytes)
        content.sweep()
        spool.drop_unclaimed(timedelta(days=self.policy.import_days).total_seconds())
        return Importer(
            pacs=PacedPacs(open_pacs(settings, spool), self._pace),
            spool=spool,
            content=content,
            keys=keys,
            plan=lambda wish, project: plan(self.policy.deid, wish, keys, project, settings.policy_file.parent),
            pool=pool,
            xnat=xnat,
            converter=ScanConverter(xnat, Dcm2niix.pinned()),
            work=settings.data_directory / "work",
            step_s=60 * self.policy.step_minutes,
        )

    async def _start(self, _pool: Any, uow: UnitOfWork) -> None:
        await self._looking.begin(uow)
        uow.emit(
            TrustAnnounced(
                trust_id=self.settings.trust_id,
                approvers=self.policy.approvers,
                small_number_threshold=self.policy.small_number_threshold,
                isolation=isolation_level(None),
                software=versions(),
            )
        )
