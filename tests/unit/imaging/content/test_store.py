"""The content store: whole or absent, within its quota, and nothing goes that somebody keeps."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from trust_node.imaging.content import LEGAL, REVIEW, ContentStore, Pin, PinnedError

IMAGE = 100
PIN = Pin(by="ann", reason="a complaint is open", at=datetime(2026, 11, 1, tzinfo=UTC))
STUDIES = ("S1", "S2", "S3", "S4")
PROJECTS = ("p1", "p2")


def spooled(folder: Path, images: int = 2, byte: bytes = b"x") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number}.dcm" for number in range(images)]
    for file in files:
        file.write_bytes(byte * IMAGE)
    return files


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "content", quota_bytes=10_000)


def test_a_study_is_here_with_all_its_files_and_the_spool_keeps_its_own(store: ContentStore, tmp_path: Path) -> None:
    files = spooled(tmp_path / "spool")
    content = store.adopt("S1", files, "p1")
    assert [file.read_bytes() for file in content.files] == [file.read_bytes() for file in files]
    assert (content.projects, len(content.manifest.parts), content.manifest.bytes) == ({"p1"}, 2, 200)


def test_another_project_refers_to_what_is_here(store: ContentStore, tmp_path: Path) -> None:
    store.adopt("S1", spooled(tmp_path / "spool"), "p1")
    content = store.use("S1", "p2")
    assert content is not None
    assert content.projects == {"p1", "p2"}
    assert store.use("S2", "p2") is None


@pytest.mark.parametrize("harm", ["changed", "cut", "missing", "added"])
def test_a_damaged_study_is_dropped_to_be_fetched_again(store: ContentStore, tmp_path: Path, harm: str) -> None:
    victim = store.adopt("S1", spooled(tmp_path / "spool"), "p1").files[0]
    match harm:
        case "changed":
            victim.write_bytes(b"y" * IMAGE)
        case "cut":
            os.truncate(victim, 10)
        case "missing":
            victim.unlink()
        case "added":
            victim.with_name("strange.dcm").write_bytes(b"")
    assert store.use("S1", "p1") is None
    assert store.listing() == []


def test_the_longest_unused_goes_first_when_the_quota_is_full(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "content", quota_bytes=450)
    for number, study in enumerate(("S1", "S2")):
        store.adopt(study, spooled(tmp_path / study), "p1")
        os.utime(tmp_path / "content" / study / "used", (number, number))
    store.use("S1", "p1")
    store.adopt("S3", spooled(tmp_path / "S3"), "p1")
    assert {content.study for content in store.listing()} == {"S1", "S3"}


@pytest.mark.parametrize("kind", [LEGAL, REVIEW])
def test_what_is_pinned_or_in_use_stays_above_the_quota(tmp_path: Path, kind: str) -> None:
    store = ContentStore(tmp_path / "content", quota_bytes=300)
    store.adopt("S1", spooled(tmp_path / "S1"), "p1")
    store.pin("S1", kind, PIN)
    with store.using("S2"):
        store.adopt("S2", spooled(tmp_path / "S2"), "p1")
        assert {content.study for content in store.listing()} == {"S1", "S2"}
    assert store.unpin("S1", kind)
    assert store.make_room() == ["S1"]
    assert [content.study for content in store.listing()] == ["S2"]


def test_nothing_removes_a_study_on_legal_hold(store: ContentStore, tmp_path: Path) -> None:
    store.adopt("S1", spooled(tmp_path / "S1"), "p1")
    store.pin("S1", LEGAL, PIN)
    with pytest.raises(PinnedError, match="legal hold"):
        store.forget("S1")
    with pytest.raises(PinnedError, match="legal hold"):
        store.adopt("S1", spooled(tmp_path / "other"), "p1")
    purged = store.purge("p1")
    assert (purged.removed, purged.retained) == ((), ("S1",))
    assert store.find("S1") is not None


def test_a_pin_needs_a_study(store: ContentStore) -> None:
    with pytest.raises(LookupError, match="not in the content store"):
        store.pin("S9", LEGAL, PIN)


def test_the_end_of_a_project_removes_what_only_it_refers_to(store: ContentStore, tmp_path: Path) -> None:
    for study in ("S1", "S2"):
        store.adopt(study, spooled(tmp_path / study), "p1")
    store.use("S2", "p2")
    purged = store.purge("p1")
    assert [one.study for one in purged.removed] == ["S1"]
    assert (purged.kept, purged.images, purged.bytes) == (("S2",), 2, 200)
    assert [(content.study, content.projects) for content in store.listing()] == [("S2", {"p2"})]


def test_a_purge_that_died_half_way_proves_the_same_when_it_is_done_again(store: ContentStore, tmp_path: Path) -> None:
    for study in ("S1", "S2"):
        store.adopt(study, spooled(tmp_path / study), "p1")
    whole = store.purge("p1")
    store.adopt("S2", spooled(tmp_path / "S2"), "p1")  # as if its removal had not been reached
    again = ContentStore(store.root, store.quota_bytes).purge("p1")
    assert again.digest != ""
    assert [one.study for one in again.removed] == [one.study for one in whole.removed]
    assert again.digest == whole.digest


def test_a_second_arrival_replaces_the_first_and_keeps_its_marks(store: ContentStore, tmp_path: Path) -> None:
    store.adopt("S1", spooled(tmp_path / "a"), "p1")
    store.pin("S1", REVIEW, PIN)
    content = store.adopt("S1", spooled(tmp_path / "b", images=3, byte=b"z"), "p2")
    assert (len(content.files), content.projects, content.pins) == (3, {"p1", "p2"}, {REVIEW: PIN})


ADOPT_FOR_EVER = """
import sys
from pathlib import Path
from trust_node.imaging.content import ContentStore
store = ContentStore(Path(sys.argv[1]), 10**9)
files = sorted(Path(sys.argv[2]).iterdir())
print("ready", flush=True)
while True:
    store.adopt("S1", files, "p1")
    print("adopted", flush=True)
"""


def test_a_killed_process_leaves_the_study_whole_or_absent(tmp_path: Path) -> None:
    spooled(tmp_path / "spool", images=30)
    for lines in range(1, 12):
        process = subprocess.Popen(
            [sys.executable, "-c", ADOPT_FOR_EVER, str(tmp_path / "content"), str(tmp_path / "spool")],
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        store = ContentStore(tmp_path / "content", 10**9)
        store.sweep()
        here = store.use("S1", "p1")
        assert here is None or len(here.files) == 30
        assert not (store.root / ".arriving").exists()


class Life(RuleBasedStateMachine):
    """The store against a model in plain sets."""

    pinned = Bundle("pinned")

    @initialize(quota=st.integers(1, 8))
    def begin(self, quota: int) -> None:
        self.quota = quota * IMAGE
        self.folder = Path(os.environ["CONTENT_TEST_FOLDER"]) / str(id(self))
        self.store = ContentStore(self.folder / "content", self.quota)
        self.pins: dict[str, set[str]] = {}

    @rule(study=st.sampled_from(STUDIES), project=st.sampled_from(PROJECTS), images=st.integers(1, 3))
    def adopt(self, study: str, project: str, images: int) -> None:
        files = spooled(self.folder / "spool", images)
        if LEGAL in self.pins.get(study, set()):
            with pytest.raises(PinnedError):
                self.store.adopt(study, files, project)
        else:
            with self.store.using(study):
                assert len(self.store.adopt(study, files, project).files) == images
        for file in files:
            file.unlink()

    @rule(target=pinned, study=st.sampled_from(STUDIES), kind=st.sampled_from((LEGAL, REVIEW)))
    def pin(self, study: str, kind: str) -> tuple[str, str]:
        if self.store.find(study):
            self.store.pin(study, kind, PIN)
            self.pins.setdefault(study, set()).add(kind)
        return study, kind

    @rule(pin=consumes(pinned))
    def unpin(self, pin: tuple[str, str]) -> None:
        study, kind = pin
        assert self.store.unpin(study, kind) == (kind in self.pins.get(study, set()))
        self.pins.get(study, set()).discard(kind)

    @rule(project=st.sampled_from(PROJECTS))
    def purge(self, project: str) -> None:
        before = {content.study: content for content in self.store.listing()}
        purged = self.store.purge(project)
        after = {content.study: content for content in self.store.listing()}
        for study, content in before.items():
            gone = content.projects == {project} and LEGAL not in content.pins
            assert (study not in after) == gone
        for one in purged.removed:
            if one.study not in after:
                self.pins.pop(one.study, None)

    @rule()
    def restart(self) -> None:
        self.store = ContentStore(self.store.root, self.quota)
        self.store.sweep()

    @invariant()
    def pinned_studies_are_here(self) -> None:
        if hasattr(self, "store"):
            for study, kinds in self.pins.items():
                assert not kinds or self.store.find(study) is not None

    @invariant()
    def every_study_is_whole(self) -> None:
        if hasattr(self, "store"):
            for content in self.store.listing():
                assert content.manifest.agrees_with(content.folder / "files")


def test_any_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTENT_TEST_FOLDER", str(tmp_path))
    machine = Life.TestCase
    machine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
    machine().runTest()
