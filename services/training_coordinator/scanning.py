"""The scan lane: a bundle is fetched, its digest checked, its contents judged."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from bus.errors import Rejection, Transient
from bus.lanes import Job, Lanes
from bus.objects import GrantExpired, Interrupted, ObjectError, ObjectLane, ObjectMissing
from bus.uow import UnitOfWork
from schemas.bundle import BadBundle, BundleLimits, BundleReport, inspect
from schemas.manifest import Manifest
from schemas.message import Message
from schemas.training import ScanBundle
from services.training_coordinator import store
from services.training_coordinator.domain import models
from services.training_coordinator.grants import Grants
from services.training_coordinator.handlers import SCAN


@dataclass(frozen=True, slots=True)
class Scanning:
    grants: Grants
    limits: BundleLimits

    def lanes(self) -> Lanes:
        lanes = Lanes()
        lanes.lane(SCAN, on_failure=_on_failure)(self.scan)
        return lanes

    async def scan(self, bundle: ScanBundle, job: Job) -> None:
        content = await self._fetch(bundle.manifest)
        report = await asyncio.to_thread(_report, content, bundle.sha256, self.limits)
        async with job.done() as uow:
            await _keep(bundle, report, uow)

    async def _fetch(self, manifest: Manifest) -> bytes:
        grant = self.grants.read(manifest, datetime.now(UTC))
        try:
            async with ObjectLane() as lane:
                return b"".join([part async for part in lane.parts_of(manifest, grant.urls)])
        except (Interrupted, GrantExpired) as error:
            raise Transient(str(error)) from error
        except ObjectMissing as error:
            raise Rejection(
                "missing_object", "The bundle is not in the object lane: upload it, then submit."
            ) from error
        except ObjectError as error:
            raise Rejection(
                "wrong_digest", "The uploaded bytes are not what the manifest says: upload again."
            ) from error


def _report(content: bytes, sha256: str, limits: BundleLimits) -> BundleReport:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Rejection("wrong_digest", "The uploaded zip has another sha256 than was submitted: upload it again.")
    try:
        return inspect(content, limits)
    except BadBundle as error:
        raise Rejection(error.code, str(error)) from error


async def _keep(bundle: ScanBundle, report: BundleReport, uow: UnitOfWork) -> None:
    model = await store.models.load(uow, bundle.model_id)
    event = models.judge(bundle, report)
    store.models.save(uow, bundle.model_id, models.evolve(model, event))
    uow.emit(event)


def _on_failure(bundle: Message, uow: UnitOfWork, code: str, reason: str) -> None:
    if isinstance(bundle, ScanBundle):
        uow.emit(models.refuse(bundle, code, reason))
