"""What is in memory is what is on disk: after any history, and after a kill at an awkward moment."""

import io
import json
import shutil
import sqlite3
import tempfile
import zipfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from infra.xnat import disk
from infra.xnat.archive import Archive, Arrival
from infra.xnat.disk import load_nodes
from infra.xnat.model import FileNotes
from infra.xnat.refusal import Refusal
from infra.xnat.shelf import LatestLists
from infra.xnat.zipping import entry, stream_zip, zip_size

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def opened(root):
    return Archive(root, lambda: NOW)


def arrived(archive, content):
    location = archive.incoming()
    location.write_bytes(content)
    return Arrival(location, len(content), md5(content).hexdigest(), crc32(content))


def put(archive, resource, path, content=b"x", *, overwrite=False):
    archive.store(resource, {path: arrived(archive, content)}, FileNotes(), overwrite=overwrite)


def picture(node):
    """Return all that a node is, as plain data."""
    resources = {r.label: (r.id, r.notes, r.file_count, r.file_size, r.files) for r in node.resources.values()}
    children = {kind: {k: picture(c) for k, c in of_kind.items()} for kind, of_kind in node.children.items()}
    return (node.id, node.fields, node.members, resources, children)


@pytest.fixture
def archive(tmp_path):
    return opened(tmp_path)


@pytest.fixture
def project(archive):
    return archive.create("projects", "P", None, {"name": "P"}, "admin")


class Histories(RuleBasedStateMachine):
    """Any order of creating, storing, overwriting and deleting."""

    sessions = Bundle("sessions")

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.archive = opened(self.root)
        self.project = self.archive.create("projects", "P", None, {}, "admin")
        self.subject = self.archive.create("subjects", "S", self.project, {}, "admin")

    def teardown(self):
        shutil.rmtree(self.root)

    @rule(target=sessions, label=st.sampled_from("abc"))
    def create(self, label):
        described = {"subject_ID": self.subject.id, "xsiType": "xnat:mrSessionData"}
        return self.archive.create("experiments", label, self.project, described, "admin")

    @rule(session=sessions, path=st.sampled_from(["a", "b/c", "b/d"]), content=st.binary(max_size=8))
    def store(self, session, path, content):
        put(self.archive, self.archive.ensure_resource(session, "R"), path, content, overwrite=True)

    @rule(session=sessions, path=st.sampled_from(["a", "b/c"]))
    def remove(self, session, path):
        resource = self.archive.ensure_resource(session, "R")
        if path in resource.files:
            self.archive.delete_file(resource, path)

    @rule(session=consumes(sessions))
    def delete(self, session):
        self.archive.delete(session)

    @invariant()
    def the_index_says_what_the_documents_say(self):
        read = load_nodes("projects", self.root / "projects", None, LatestLists())
        assert picture(read["P"]) == picture(opened(self.root).projects["P"])

    @invariant()
    def a_second_look_at_the_disk_shows_the_same(self):
        assert picture(opened(self.root).projects["P"]) == picture(self.project)


Histories.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestHistories = Histories.TestCase


def test_a_number_is_never_given_twice_even_after_deletion_and_restart(archive, project, tmp_path):
    first = archive.create("subjects", "a", project, {}, "admin")
    archive.delete(first)
    again = opened(tmp_path)
    assert again.create("subjects", "a", again.projects["P"], {}, "admin").id != first.id


STEPS = ["save_node", "save_resource", "append_files", "rewrite_catalogue", "load_node"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_whatever_step_a_process_dies_at_the_next_start_agrees_with_the_disk(tmp_path, monkeypatch, step, done):
    archive = opened(tmp_path)
    project = archive.create("projects", "P", None, {}, "admin")
    subject = archive.create("subjects", "S", project, {}, "admin")
    put(archive, archive.ensure_resource(project, "R"), "old")
    real = getattr(disk, step)

    def dies(*args):
        if done:
            real(*args)
        raise KeyboardInterrupt

    described = {"subject_ID": subject.id, "xsiType": "x"}
    deeds = [
        lambda: archive.update(subject, {"yob": "1970"}),
        lambda: put(archive, archive.ensure_resource(project, "R"), "new"),
        lambda: archive.ensure_resource(subject, "NEW"),
        lambda: archive.delete_file(project.resources["R"], "old"),
        lambda: archive.adopt(archive.draft("experiments", "E", project, described, "admin")),
    ]
    for deed in deeds:
        with monkeypatch.context() as patched:
            patched.setattr(disk, step, dies)
            with suppress(KeyboardInterrupt):
                deed()
    archive.close()
    again = opened(tmp_path).projects["P"]
    assert picture(again) == picture(load_nodes("projects", tmp_path / "projects", None, LatestLists())["P"])
    assert picture(again) == picture(opened(tmp_path).projects["P"])


def test_only_the_lists_asked_for_last_stay_in_memory(archive, project):
    shelf = LatestLists(most=2)
    resources = [archive.ensure_resource(project, label) for label in "abc"]
    for resource in resources:
        put(archive, resource, "f")
        resource.shelf = shelf
    assert [set(resource.files) for resource in resources] == [{"f"}] * 3
    assert len(shelf._lists) == 2
    shelf.forget(project.folder)
    assert len(shelf._lists) == 0


def test_an_older_catalogue_is_brought_up_to_date_once(archive, project, tmp_path):
    resource = archive.ensure_resource(project, "R")
    put(archive, resource, "f", b"content")
    catalogue = resource.folder / "catalogue.jsonl"
    (line,) = catalogue.read_text().splitlines()
    document = json.loads(line)
    del document["crc32"]
    catalogue.write_text(json.dumps(document) + "\n")
    assert opened(tmp_path).projects["P"].resources["R"].files["f"].crc32 == crc32(b"content")
    assert "crc32" in catalogue.read_text()


def test_an_index_of_another_version_is_built_anew(archive, project, tmp_path):
    archive.close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as db:
        db.executescript("pragma user_version = 99; delete from nodes;")
    assert picture(opened(tmp_path).projects["P"]) == picture(project)


def test_a_torn_line_of_the_catalogue_loses_nothing(archive, project, tmp_path):
    resource = archive.ensure_resource(project, "LABELS")
    put(archive, resource, "labels.csv", b"a,b\n")
    put(archive, resource, "more.csv", b"c\n")
    catalogue = resource.folder / "catalogue.jsonl"
    catalogue.write_bytes(catalogue.read_bytes()[:-20])
    files = opened(tmp_path).projects["P"].resources["LABELS"].files
    assert {path: file.md5 for path, file in files.items()} == {path: file.md5 for path, file in resource.files.items()}
    assert picture(opened(tmp_path).projects["P"]) == picture(opened(tmp_path).projects["P"])


def test_a_file_changed_behind_the_archive_is_hashed_again(archive, project, tmp_path):
    resource = archive.ensure_resource(project, "R")
    put(archive, resource, "f", b"old")
    resource.location("f").write_bytes(b"new")
    file = opened(tmp_path).projects["P"].resources["R"].files["f"]
    assert file.md5 == md5(b"new").hexdigest()


def test_what_was_still_arriving_is_swept_at_start(archive, tmp_path):
    archive.incoming().write_bytes(b"half")
    opened(tmp_path)
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_draft_is_seen_only_once_adopted(archive, project, tmp_path):
    draft = archive.draft("experiments", "E", project, {"subject_ID": "", "xsiType": "x"}, "admin")
    put(archive, archive.ensure_resource(draft, "R"), "f")
    assert project.children["experiments"] == {}
    archive.adopt(draft)
    assert project.find("experiments", "E").resources["R"].files.keys() == {"f"}
    assert picture(opened(tmp_path).projects["P"]) == picture(project)


def test_an_existing_file_is_kept_unless_told_otherwise(archive, project):
    resource = archive.ensure_resource(project, "R")
    put(archive, resource, "f", b"first")
    with pytest.raises(Refusal) as refused:
        put(archive, resource, "f", b"second")
    assert refused.value.status == 409
    assert resource.location("f").read_bytes() == b"first"


@pytest.mark.parametrize("path", ["../f", "/f", "a//b", "a/./b", "a\\b", "", "a\0b", "f/below", "x" * 300])
def test_a_path_that_leaves_or_clashes_is_refused(archive, project, path):
    resource = archive.ensure_resource(project, "R")
    put(archive, resource, "f")
    with pytest.raises(Refusal):
        put(archive, resource, path)
    assert resource.files.keys() == {"f"}


@pytest.mark.parametrize("name", ["", "a/b", "..", "ü", "a b", "x" * 101])
def test_a_project_needs_a_plain_id(archive, name):
    with pytest.raises(Refusal):
        archive.create("projects", name, None, {}, "admin")


def test_a_label_stays_unique_in_its_project(archive, project):
    archive.create("subjects", "a", project, {}, "admin")
    other = archive.create("subjects", "b", project, {}, "admin")
    with pytest.raises(Refusal):
        archive.update(other, {"label": "a"})
    assert other.label == "b"


def test_a_subject_takes_its_experiments_along(archive, project, tmp_path):
    subject = archive.create("subjects", "a", project, {}, "admin")
    archive.create("experiments", "e", project, {"subject_ID": subject.id, "xsiType": "x"}, "admin")
    archive.delete(subject)
    assert opened(tmp_path).projects["P"].children == {"subjects": {}, "experiments": {}}


def test_a_zip_holds_every_file_stored(archive, project):
    session = archive.create("experiments", "visit 1", project, {"subject_ID": "", "xsiType": "x"}, "admin")
    scan = archive.create("scans", "3", session, {"type": "T1 (ax)", "xsiType": "x"}, "admin")
    resource = archive.ensure_resource(scan, "DICOM")
    contents = {"a.dcm": b"a" * 3_000_000, "sub/b.dcm": b""}
    for path, content in contents.items():
        put(archive, resource, path, content)
    entries = [entry(scan, resource, file) for file in resource.files.values()]
    pieces = list(stream_zip(entries))
    assert sum(map(len, pieces)) == zip_size(entries)
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as zipped:
        top = "visit_1/scans/3-T1__ax_/resources/DICOM/files"
        assert {name: zipped.read(name) for name in zipped.namelist()} == {
            f"{top}/{path}": content for path, content in contents.items()
        }
        assert {info.compress_type for info in zipped.infolist()} == {zipfile.ZIP_STORED}
    assert max(map(len, pieces)) < 2_000_000
