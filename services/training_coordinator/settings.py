"""What the training coordinator must be told."""

from datetime import timedelta
from pathlib import Path

from bus.objects import NginxObjects
from bus.settings import HubSettings
from schemas.bundle import BundleLimits
from services.training_coordinator.grants import Grants


class Settings(HubSettings):
    """Sizes in bytes, times in seconds. The secret of the object lane comes from a file."""

    objects_url: str
    objects_secret_file: Path
    grant_s: float = 3600.0
    max_model_bytes: int = 2 * 10**9
    max_bundle_bytes: int = BundleLimits().packed

    @property
    def grants(self) -> Grants:
        store = NginxObjects(self.objects_url, self.objects_secret_file.read_text().strip())
        return Grants(store, timedelta(seconds=self.grant_s), self.max_model_bytes)
