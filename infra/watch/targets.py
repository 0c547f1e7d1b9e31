"""Where Prometheus finds our processes: a file in the form of its `file_sd_configs`."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

BROKERS_JOB = "trustflow-broker"


def write_targets(urls: Mapping[str, str], exporter: int | None, file: Path) -> None:
    """``urls`` names each participant's /metrics; several processes of one participant are ``name#1``, ``name#2``.

    ``exporter`` is the local port of `trustflow ops exporter`, where it runs.
    """
    targets = [_target(urlsplit(url).netloc, participant=name.partition("#")[0]) for name, url in urls.items()]
    if exporter:
        targets.append(_target(f"127.0.0.1:{exporter}", participant="operator", job=BROKERS_JOB))
    file.write_text(json.dumps(targets, indent=1) + "\n")


def _target(address: str, **labels: str) -> dict[str, object]:
    return {"targets": [address], "labels": labels}
