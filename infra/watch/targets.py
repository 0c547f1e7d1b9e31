"""Where Prometheus finds our processes: a file in the form of its `file_sd_configs`."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit


def write_targets(urls: Mapping[str, str], file: Path) -> None:
    """``urls`` names each participant's /metrics; several processes of one participant are ``name#1``, ``name#2``."""
    file.write_text(json.dumps([_target(name, url) for name, url in urls.items()], indent=1) + "\n")


def _target(name: str, url: str) -> dict[str, object]:
    return {"targets": [urlsplit(url).netloc], "labels": {"participant": name.partition("#")[0]}}
