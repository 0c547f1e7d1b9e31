"""Every claim of the summary, checked against what was seen: the demo succeeds only if all hold."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from safetensors import safe_open

from infra.demo.hospital import Hospitals
from infra.demo.play import ROUNDS, RunRecord, Story
from schemas.manifest import PART_SIZE
from schemas.views import TrustImport

EXPECTED_FAILURES = ("ambiguous_accession", "not_in_pacs")
EXPECTED_REFUSALS = {
    "select everything": "star_not_allowed",
    "approve one's own request": "own_request",
    "approve for a stranger": "not_an_approver",
}


@dataclass(frozen=True, slots=True)
class Claim:
    holds: bool
    text: str
    found: str = ""


def claims(story: Story, hospitals: Hospitals, leaks: Mapping[str, int], canaries: int) -> list[Claim]:
    return [
        *_refused(story),
        *import_claims(story, hospitals),
        *_trained(story),
        Claim(not leaks, f"none of {canaries} planted identities is in a hub topic, table, object or log", str(leaks)),
    ]


def accuracy(record: RunRecord | None) -> float:
    """Of the run's model on the held-out slices of all trusts, weighted by their number."""
    return record.finished.metrics.get("accuracy", math.nan) if record and record.finished else math.nan


def _refused(story: Story) -> Iterator[Claim]:
    for what, code in EXPECTED_REFUSALS.items():
        yield Claim(story.refusals.get(what) == code, f"to {what} is refused", str(story.refusals.get(what)))


def import_claims(story: Story, hospitals: Hospitals) -> Iterator[Claim]:
    trusts = story.imports.trusts if story.imports else {}
    for trust, imported in trusts.items():
        yield from _imported_at(trust, imported)
        whole = sum(len(study.series) for study in hospitals.studies_at(trust) if study.fate == "whole")
        labelled = story.labelled.get(trust, 0)
        yield Claim(0 < labelled <= whole, f"{trust}: every imported scan is labelled", str(labelled))


def _imported_at(trust: str, imported: TrustImport) -> Iterator[Claim]:
    tally = imported.tally
    codes = sorted(study.code for study in imported.studies.values() if study.code)
    others = tally.asked - len(EXPECTED_FAILURES)
    yield Claim(tally.asked >= len(EXPECTED_FAILURES) + 10, f"{trust}: at least 12 studies were asked for", str(tally))
    yield Claim(
        tuple(codes) == EXPECTED_FAILURES, f"{trust}: the missing and the ambiguous study failed as such", str(codes)
    )
    yield Claim(
        tally.converted == tally.archived == others, f"{trust}: all others are archived and converted", str(tally)
    )
    yield Claim(tally.slices_out == tally.slices_in > 0, f"{trust}: slices out = slices in", str(tally))


def _trained(story: Story) -> Iterator[Claim]:
    federated = story.federated
    rounds = federated.rounds if federated else []
    walls = [ready.isolation for ready in federated.ready.values()] if federated else []
    everybody = {tuple(sorted(done.participants)) for done in rounds[1:]}
    yield Claim(len(rounds) == ROUNDS + 1, f"{ROUNDS} rounds of federated averaging were done", str(len(rounds)))
    yield Claim(len(everybody) == 1 and len(everybody.pop()) > 1, "every trust took part in every round")
    walled = bool(walls) and all(wall.startswith("bubblewrap") for wall in walls)
    yield Claim(walled, "the code ran behind bubblewrap at every trust", str(walls))
    for trust, alone in story.alone.items():
        better = accuracy(federated) > accuracy(alone)
        found = f"{accuracy(federated):.3f} against {accuracy(alone):.3f}"
        yield Claim(better, f"the federated model beats what {trust} reaches alone", found)
    yield Claim(_is_the_model(story), "the model on disk is the one that the run's manifest names")


def _is_the_model(story: Story) -> bool:
    if story.model_file is None or story.federated is None or story.federated.finished is None:
        return False
    manifest = story.federated.finished.model.manifest
    with safe_open(story.model_file, framework="numpy") as model:
        names = set(model.keys())
    return names == {tensor.name for tensor in manifest.tensors} and _digest(story.model_file) == manifest.sha256


def _digest(file: Path) -> str:
    """As a manifest has it: sha256 over the parts' digests."""
    content, whole = file.read_bytes(), sha256()
    for start in range(0, len(content), PART_SIZE):
        whole.update(sha256(content[start : start + PART_SIZE]).digest())
    return whole.hexdigest()
