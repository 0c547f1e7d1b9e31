"""Ports: found free, remembered by name, found anew when somebody else has taken one meanwhile."""

import json
from collections.abc import Iterable
from pathlib import Path

from infra.parts.part import free_port, is_free


def choose_ports(names: Iterable[str], file: Path) -> dict[str, int]:
    """Return a port for each name, those of the last time where they are still free, and remember them in the file."""
    last = remembered_ports(file)
    chosen: dict[str, int] = {}
    for name in names:
        port = last.get(name, 0)
        while not port or port in chosen.values() or not is_free(port):
            port = free_port()
        chosen[name] = port
    file.write_text(json.dumps(chosen, indent=2))
    return chosen


def remembered_ports(file: Path) -> dict[str, int]:
    return {str(name): int(port) for name, port in json.loads(file.read_text()).items()} if file.exists() else {}
