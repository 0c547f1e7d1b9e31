"""Leave to read and write objects. Pure: an address is computed from a path, a moment and our secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bus.objects import ObjectStore, grant_download, grant_upload
from schemas.manifest import DownloadGrant, Manifest, UploadGrant


@dataclass(frozen=True, slots=True)
class Grants:
    """Every grant lasts equally long. ``max_first_model`` bounds, in bytes, the model a run begins with."""

    store: ObjectStore
    lasts: timedelta
    max_first_model: int

    def read(self, manifest: Manifest, now: datetime) -> DownloadGrant:
        return grant_download(self.store, manifest, now + self.lasts)

    def write(self, prefix: str, max_size: int, now: datetime) -> UploadGrant:
        return grant_upload(self.store, prefix, max_size, now + self.lasts)
