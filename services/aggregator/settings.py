"""What the aggregator must be told."""

from datetime import timedelta
from pathlib import Path

from bus.objects import NginxObjects
from bus.settings import HubSettings


class Settings(HubSettings):
    """Sizes in bytes, times in seconds. The spool needs room for the updates of the rounds that are open."""

    objects_url: str
    objects_secret_file: Path
    spool_dir: Path
    grant_s: float = 3600.0
    max_model_bytes: int = 2 * 10**9

    @property
    def objects(self) -> NginxObjects:
        return NginxObjects(self.objects_url, self.objects_secret_file.read_text().strip())

    @property
    def grant_lasts(self) -> timedelta:
        return timedelta(seconds=self.grant_s)
