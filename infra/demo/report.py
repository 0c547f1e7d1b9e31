"""What the demo leaves behind: a report, every event in order, the provenance, and a table for a person."""

import json
import platform
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from bus.speaker import Speaker
from infra.demo.claims import Claim, accuracy
from infra.demo.play import RunRecord, Story
from infra.federation import Federation
from schemas.topics import OPERATOR, all_topics

SOFTWARE = ("trustflow", "aiokafka", "faststream", "asyncpg", "pydantic", "pydicom", "pynetdicom", "torch", "numpy")


def summary(story: Story) -> Table:
    table = Table(title="What happened", title_justify="left")
    for column in ("trust", "persons", "asked", "received", "archived", "converted", "failed", "slices", "alone"):
        table.add_column(column, justify="left" if column == "trust" else "right")
    for trust, imported in (story.imports.trusts if story.imports else {}).items():
        tally, persons = imported.tally, story.counted[trust].persons
        counts = (tally.asked, tally.received, tally.archived, tally.converted, tally.failed)
        slices, alone = f"{tally.slices_out}/{tally.slices_in}", f"{accuracy(story.alone.get(trust)):.3f}"
        table.add_row(trust, f"~{persons}", *map(str, counts), slices, alone)
    table.add_row("together", f"~{story.total}", *[""] * 6, f"[bold]{accuracy(story.federated):.3f}")
    return table


def checks(found: Iterable[Claim]) -> Table:
    table = Table(title="What was checked", title_justify="left", show_header=False)
    for claim in found:
        mark = "[green]holds" if claim.holds else "[bold red]FAILS"
        table.add_row(mark, claim.text if claim.holds else f"{claim.text}: {claim.found}")
    return table


def write(folder: Path, story: Story, found: Iterable[Claim], seconds: dict[str, float]) -> None:
    """Write report.json and provenance.json."""
    _write(folder / "report.json", _report(story, found, seconds))
    finished = story.federated.finished if story.federated else None
    _write(folder / "provenance.json", finished.provenance.model_dump(mode="json") if finished else {})


async def write_events(federation: Federation, file: Path, since: datetime) -> int:
    """Write every event since then, of all topics, in the order of their times; return their number."""
    lines: list[tuple[str, dict[str, Any]]] = []
    async with Speaker(federation.login(OPERATOR)) as speaker:
        topics = [topic.name for topic in all_topics(federation.trusts)]
        async for heard in speaker.events(topics, since=since, until="now"):
            time = heard.envelope.time if heard.envelope else heard.at
            lines.append((time.isoformat(), _line(heard)))
    with file.open("w") as out:
        out.writelines(json.dumps(line) + "\n" for _, line in sorted(lines, key=lambda pair: pair[0]))
    return len(lines)


def _line(heard: Any) -> dict[str, Any]:
    envelope = heard.envelope
    return {
        "topic": heard.topic,
        "key": heard.key,
        "time": (envelope.time if envelope else heard.at).isoformat(),
        "type": envelope.type if envelope else None,
        "id": envelope.id if envelope else None,
        "correlationid": envelope.correlationid if envelope else None,
        "causationid": envelope.causationid if envelope else None,
        "fault": heard.fault,
        "data": heard.message.model_dump(mode="json", exclude_none=True) if heard.message else None,
    }


def _report(story: Story, found: Iterable[Claim], seconds: dict[str, float]) -> dict[str, Any]:
    return {
        "project_id": story.project_id,
        "trusts": {trust: _trust(story, trust) for trust in (story.imports.trusts if story.imports else {})},
        "released_total": story.total,
        "refusals": story.refusals,
        "rounds": [_round(done) for done in (story.federated.rounds if story.federated else [])],
        "metric": {
            "name": "accuracy",
            "global_before": _before(story.federated),
            "global_after": accuracy(story.federated),
            "alone": {trust: accuracy(record) for trust, record in story.alone.items()},
        },
        "model": _model(story.model_file),
        "claims": [{"holds": claim.holds, "text": claim.text} for claim in found],
        "seconds": seconds,
        "software": {name: version(name) for name in SOFTWARE} | {"python": platform.python_version()},
    }


def _trust(story: Story, trust: str) -> dict[str, Any]:
    imported = story.imports.trusts[trust] if story.imports else None
    ready = story.federated.ready.get(trust) if story.federated else None
    return {
        "released_persons": story.counted[trust].persons,
        "studies": imported.tally.model_dump() if imported else {},
        "failures": sorted(study.code for study in imported.studies.values() if study.code) if imported else [],
        "labelled_scans": story.labelled.get(trust),
        "isolation": ready.isolation if ready else None,
    }


def _round(done: Any) -> dict[str, Any]:
    return {
        "round": done.round,
        "seconds": done.seconds,
        "participants": done.participants,
        "metrics": done.metrics,
        "sites": [site.model_dump() for site in done.sites],
    }


def _before(record: RunRecord | None) -> float | None:
    """The first training round reports how the model that it received did."""
    return record.rounds[1].metrics.get("accuracy") if record and len(record.rounds) > 1 else None


def _model(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    content = file.read_bytes()
    return {"path": str(file), "bytes": len(content), "sha256": sha256(content).hexdigest()}


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n")
