"""The search for planted identities in everything the hub keeps: topics, tables, objects and logs."""

import asyncio
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from infra.federation import Federation
from infra.parts.postgres import SUPERUSER
from schemas.topics import OPERATOR, SERVICES, all_topics

DIGITS = re.compile(r"^[0-9]{8}$")


class Canaries:
    """Finds planted strings; a bare date counts only where no digit or letter touches it."""

    def __init__(self, planted: Iterable[str]) -> None:
        self._plain = _by_beginning(text.encode() for text in planted if not DIGITS.match(text))
        dates = [text for text in planted if DIGITS.match(text)]
        self._dates = re.compile(rf"(?<![0-9A-Za-z])(?:{'|'.join(dates)})(?![0-9A-Za-z])".encode()) if dates else None

    def __len__(self) -> int:
        return sum(map(len, self._plain.values()))

    def found_in(self, content: bytes) -> int:
        """How many different ones stand in the bytes."""
        possible = [text for start, texts in self._plain.items() if start in content for text in texts]
        return sum(text in content for text in possible) + bool(self._dates and self._dates.search(content))


def _by_beginning(texts: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Most are UIDs that begin alike: where no UID stands, one look tells it of all."""
    groups: dict[bytes, list[bytes]] = {}
    for text in texts:
        groups.setdefault(text[:5], []).append(text)
    return groups


class Finder(Protocol):
    """Knows what was planted, and counts what of it stands in some bytes."""

    def found_in(self, content: bytes) -> int: ...


async def leaks(federation: Federation, canaries: Finder) -> dict[str, int]:
    """Places of the hub where a planted string was found, with how many; empty when none was."""
    topics = await _topics(federation)
    found = {f"topic {name}": canaries.found_in(content) for name, content in topics.items()}
    places = await asyncio.to_thread(lambda: [*_tables(federation), *_files(federation)])
    found |= {place: canaries.found_in(content) for place, content in places}
    return {place: count for place, count in found.items() if count}


async def _topics(federation: Federation) -> dict[str, bytes]:
    """Everything in every topic, keys and headers included, as the operator can read it."""
    names = [topic.name for topic in all_topics(federation.trusts)]
    consumer = AIOKafkaConsumer(*names, auto_offset_reset="earliest", **federation.login(OPERATOR).options())
    contents = dict.fromkeys(names, b"")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                contents[place.topic] += b"\n".join(map(_whole, records))
    finally:
        await consumer.stop()
    return contents


def _whole(record: ConsumerRecord) -> bytes:
    return b"\t".join([record.key or b"", record.value or b"", *(value for _, value in record.headers), b"\n"])


def _tables(federation: Federation) -> Iterator[tuple[str, bytes]]:
    for service in SERVICES:
        dumped = subprocess.run(
            ["pg_dump", "--inserts", "-d", f"postgresql://{SUPERUSER}@127.0.0.1:{federation.postgres.port}/{service}"],
            env={"PATH": "/usr/bin:/bin", "PGPASSWORD": federation.postgres.password},
            capture_output=True,
            check=True,
        )
        yield f"database {service}", dumped.stdout


def _files(federation: Federation) -> Iterator[tuple[str, bytes]]:
    """Objects, and the logs of all that runs in the hub: not those that stay inside a hospital."""
    inside = tuple(f"{part}-{trust}" for trust in federation.trusts for part in ("node", "orthanc", "xnat"))
    hub = [federation.run / name for name in ("nginx", *SERVICES)]
    logs = [file for file in _below(federation.run / "logs") if not file.name.startswith(inside)]
    for file in (*logs, *(file for folder in hub for file in _below(folder))):
        yield f"file {file.relative_to(federation.run)}", file.read_bytes()


def _below(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())
