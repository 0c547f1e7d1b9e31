"""Full transitive compatibility within a major: whoever reads any revision reads what any other revision writes."""

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infra.catalogue import DOCS, write
from infra.contract.language import Schema, message_types, schema
from infra.contract.revisions import ForbiddenEdit, Revisions, forbidden_steps
from schemas.message import Message
from tests.contract.golden_samples import golden
from tests.contract.samples import sample

PUBLISHED = Revisions(DOCS / "schemas")
CURRENT = {message.type: message for message in message_types()}


@pytest.mark.parametrize("type_", PUBLISHED.types())
def test_only_allowed_edits_were_ever_published(type_: str) -> None:
    assert forbidden_steps(PUBLISHED.of(type_)) == []


@pytest.mark.parametrize("type_", PUBLISHED.types())
def test_every_old_sample_is_valid_by_every_revision(type_: str) -> None:
    for revision in PUBLISHED.of(type_):
        for payload in golden(type_):
            Draft202012Validator(revision).validate(payload)


@pytest.mark.parametrize("message", CURRENT.values(), ids=CURRENT.keys())
def test_what_is_written_today_is_valid_by_every_revision(message: type[Message]) -> None:
    """A hospital that was not upgraded reads it."""
    for revision in PUBLISHED.of(message.type):
        for full in (False, True):
            payload = json.dumps(sample(message, full=full)).encode()
            Draft202012Validator(revision).validate(json.loads(message.parse(payload).to_bytes()))


def committed(reference: str, folder: Path) -> Revisions:
    """Unpack the schemas of a commit; of one that is not there, nothing."""
    command = ["git", "archive", reference, "docs/schemas"]
    archive = subprocess.run(command, cwd=DOCS.parent, capture_output=True, check=False)
    if archive.returncode == 0:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
            packed.extractall(folder, filter="data")
    return Revisions(folder / "docs" / "schemas")


@pytest.mark.parametrize("reference", ["HEAD", "HEAD^"])
def test_what_was_committed_is_published_still(reference: str, tmp_path: Path) -> None:
    """The catalogue refuses a forbidden edit; this is for whoever edits or deletes the published schema itself."""
    before = committed(reference, tmp_path)
    assert set(before.types()) <= set(PUBLISHED.types())
    for type_ in before.types():
        earlier, now = before.of(type_), PUBLISHED.of(type_)
        assert forbidden_steps((*earlier, now[-1])) == []
        assert all(revision in now for revision in earlier)


def described(**changed: Any) -> Schema:
    fields = {"project_id": {"type": "string"}, "name": {"type": "string", "title": "Name"}}
    return {
        "$id": "urn:trustflow:project:created:v1",
        "x-topic": "project.events",
        "x-key": "project_id",
        "type": "object",
        "properties": fields | changed,
        "required": ["project_id", "name"],
    }


class TestPublishing:
    def test_each_revision_is_kept(self, tmp_path: Path) -> None:
        revisions = Revisions(tmp_path)
        steps = [described(), described(note={"type": "string"}), described(note={"type": "string"}, tag={})]
        for step in steps:
            revisions.publish([step])
        assert revisions.of("trustflow.project.created.v1") == tuple(steps)
        assert revisions.types() == ("trustflow.project.created.v1",)

    def test_texts_for_people_make_no_revision(self, tmp_path: Path) -> None:
        revisions = Revisions(tmp_path)
        revisions.publish([described()])
        revisions.publish([reworded := described(name={"type": "string", "title": "What it is called"})])
        assert revisions.of("trustflow.project.created.v1") == (reworded,)

    def test_a_forbidden_edit_writes_nothing_at_all(self, tmp_path: Path) -> None:
        revisions = Revisions(tmp_path)
        revisions.publish([described()])
        another = described() | {"$id": "urn:trustflow:project:edited:v1"}
        with pytest.raises(ForbiddenEdit, match=r"`name`.*or add trustflow\.project\.created\.v2 and an upcaster"):
            revisions.publish([another, described(name={"type": "integer"})])
        assert revisions.types() == ("trustflow.project.created.v1",)
        assert revisions.of("trustflow.project.created.v1") == (described(),)

    def test_a_name_that_was_ever_used_keeps_its_meaning(self, tmp_path: Path) -> None:
        """The newest revision alone would allow it."""
        revisions = Revisions(tmp_path)
        earlier = tmp_path / "earlier" / "trustflow.project.created.v1" / "1.json"
        earlier.parent.mkdir(parents=True)
        earlier.write_text(json.dumps(described(note={"type": "string"})))
        revisions.newest("trustflow.project.created.v1").write_text(json.dumps(described()))
        assert any("changed type" in edit for edit in revisions.forbidden(described(note={"type": "integer"})))

    def test_the_catalogue_refuses_too(self, tmp_path: Path) -> None:
        message = next(iter(CURRENT.values()))
        ours = schema(message)
        Revisions(tmp_path / "schemas").publish([ours | {"required": []}])
        with pytest.raises(ForbiddenEdit, match=f"{message.type}: .* became required"):
            write(tmp_path)
        assert not (tmp_path / "events.md").exists()
