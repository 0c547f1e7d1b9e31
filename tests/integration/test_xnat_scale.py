"""Many sessions, large downloads side by side, and processes killed in the middle."""

import io
import os
import secrets
import signal
import subprocess
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.parts.part import free_port, wait_until
from infra.parts.xnat import Xnat
from tests.integration.xnat_ground import Client, lay_out_sessions, study, uploading, zip_of

pytestmark = pytest.mark.integration

SESSIONS = 10_000


@pytest.fixture
def part(tmp_path):
    return Xnat(tmp_path, free_port(), secrets.token_hex(8))


@pytest.fixture
def start(part):
    started = []

    def start_once():
        part.prepare()
        started.append(subprocess.Popen(part.command, env={**os.environ, **part.env}))
        part.wait_ready()
        return started[-1]

    yield start_once
    for process in started:
        process.kill()
        process.wait()


def test_ten_thousand_sessions_list_within_a_second_and_start_from_the_index(part, start):
    part.prepare()
    lay_out_sessions(part.directory / "archive", SESSIONS)
    first = start()
    with Client(part) as admin:
        path = "/data/projects/P/experiments"
        assert len(admin.rows(path)) == SESSIONS
        for query in ({}, {"columns": "ID,label,xsiType"}, {"format": "csv"}, {"label": "e99*", "sortBy": "label"}):
            began = time.perf_counter()
            answer = admin.get(path, params={"format": "json"} | query)
            assert answer.status_code == 200
            assert time.perf_counter() - began < 1
        assert len(admin.rows(path, date="01/01/2005-12/31/2005")) == SESSIONS // 20
        assert len(admin.rows(path, limit="10", offset="9995")) == 5
        assert len(admin.get("/xapi/dicomweb/projects/P/studies", params={"limit": "50"}).json()) == 50
    first.send_signal(signal.SIGKILL)
    first.wait()
    began = time.perf_counter()
    start()
    assert time.perf_counter() - began < 6
    with Client(part) as admin:
        assert len(admin.rows("/data/projects/P/experiments")) == SESSIONS
        assert admin.rows("/data/projects/P/experiments/e7/scans/1/files")[0]["Size"] == "1"


def test_a_small_request_does_not_wait_for_a_large_download(xnat):
    with Client(xnat) as admin:
        project = admin.new_project()
        path = f"/data/projects/{project}/resources/BIG/files"
        for number in range(4):
            assert admin.put(f"{path}/{number}", data=os.urandom(1 << 20) * 100).status_code == 200
        begun, slowest = threading.Event(), []

        def download(_):
            with Client(xnat) as client:
                answer = client.get(path, params={"format": "zip"}, stream=True)
                begun.set()
                return sum(len(piece) for piece in answer.iter_content(1 << 20)), int(answer.headers["Content-Length"])

        with ThreadPoolExecutor(3) as threads:
            downloads = threads.map(download, range(3))
            begun.wait(10)
            for _ in range(20):
                began = time.perf_counter()
                assert admin.get("/data/auth").status_code == 200
                slowest.append(time.perf_counter() - began)
            assert all(got == announced for got, announced in downloads)
        assert sorted(slowest)[len(slowest) // 2] < 0.25
        admin.delete(f"/data/projects/{project}")


def test_a_download_needs_no_memory_for_what_it_sends(part, start):
    process = start()
    with Client(part) as admin:
        admin.put("/data/projects/P")
        path = "/data/projects/P/resources/BIG/files"
        for number in range(4):
            admin.put(f"{path}/{number}", data=os.urandom(1 << 20) * 100)
        before = peak_mib(process)
        answer = admin.get(path, params={"format": "zip"}, stream=True)
        received = sum(len(piece) for piece in answer.iter_content(1 << 20))
        assert received > 400 << 20
        assert peak_mib(process) - before < 60


def peak_mib(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_client_that_leaves_in_the_middle_stops_nothing(xnat):
    with Client(xnat) as admin:
        project = admin.new_project()
        path = f"/data/projects/{project}/resources/BIG/files"
        admin.put(f"{path}/f", data=bytes(50_000_000))
        with Client(xnat) as leaving:
            leaving.get(path, params={"format": "zip"}, stream=True).raw.read(1_000)
        with zipfile.ZipFile(io.BytesIO(admin.get(path, params={"format": "zip"}).content)) as zipped:
            assert zipped.testzip() is None
        admin.delete(f"/data/projects/{project}")


class TestKilled:
    def test_imports_killed_at_any_moment_are_whole_or_not_there(self, part, start):
        """Kill the process while images come in; what was answered with yes is there, and all of it."""
        told, incoming = [], part.directory / "archive" / "incoming"
        for attempt in range(3):
            process = start()
            with Client(part) as admin:
                admin.put("/data/projects/P")
                stopping = threading.Event()

                def killer(process=process, stopping=stopping):
                    stopping.wait(10)
                    wait_until(lambda: any(incoming.iterdir()), part, 10)
                    process.send_signal(signal.SIGKILL)

                thread = threading.Thread(target=killer)
                thread.start()
                told += self.import_until_killed(admin, attempt, 4 * attempt, stopping)
                thread.join()
            process.wait()
        start()
        with Client(part) as admin:
            there = admin.column("/data/projects/P/experiments", "label")
            assert set(told) <= set(there)
            for label in there:
                files = admin.rows(f"/data/projects/P/experiments/{label}/scans/ALL/files")
                assert len(files) == 5
                content = admin.get(f"/data/projects/P/experiments/{label}/scans/ALL/files", params={"format": "zip"})
                with zipfile.ZipFile(io.BytesIO(content.content)) as zipped:
                    assert zipped.testzip() is None
            assert list((part.directory / "archive" / "incoming").iterdir()) == []

    def import_until_killed(self, admin, attempt, safe, stopping):
        told = []
        for number in range(500):
            label = f"e{attempt}-{number}"
            try:
                answer = admin.import_zip("P", zip_of(*study(f"{attempt}.{number}", slices=5)), session=label)
            except OSError:
                return told
            assert answer.status_code == 200
            told.append(label)
            if number >= safe:
                stopping.set()
        return told

    def test_half_an_upload_is_never_listed(self, part, start):
        process = start()
        with Client(part) as admin:
            admin.put("/data/projects/P/resources/R/files/whole", data=b"whole")
            admin.put("/data/projects/P")
            admin.put("/data/projects/P/resources/R/files/whole", data=b"whole")
        with uploading(part, "/data/projects/P/resources/R/files/half"):
            process.send_signal(signal.SIGKILL)
            process.wait()
        start()
        with Client(part) as admin:
            assert admin.column("/data/projects/P/resources/R/files", "Name") == ["whole"]

    def test_what_waits_outlives_a_kill(self, part, start):
        process = start()
        with Client(part) as admin:
            admin.put("/data/projects/P")
            admin.import_zip("P", zip_of(*study(9, slices=2)), dest="/prearchive")
            before = admin.rows("/data/prearchive/projects/P")
        process.send_signal(signal.SIGKILL)
        process.wait()
        start()
        with Client(part) as admin:
            assert admin.rows("/data/prearchive/projects/P") == before
            assert admin.post("/data/services/archive", params={"src": before[0]["url"]}).status_code == 200

    @pytest.mark.parametrize("damage", ["gone", "torn"])
    def test_without_a_sound_index_all_is_read_from_the_files(self, part, start, damage):
        process = start()
        with Client(part) as admin:
            admin.put("/data/projects/P")
            admin.import_zip("P", zip_of(*study(9, slices=2)))
            before = admin.get("/data/projects/P/experiments/e1").json()
        process.send_signal(signal.SIGKILL)
        process.wait()
        for file in (part.directory / "archive").glob("index.sqlite*"):
            file.unlink() if damage == "gone" else file.write_bytes(b"no database" * 500)
        start()
        with Client(part) as admin:
            assert admin.get("/data/projects/P/experiments/e1").json() == before


def test_files_changed_behind_the_archive_are_seen_after_a_refresh(part, start):
    start()
    with Client(part) as admin:
        admin.put("/data/projects/P")
        admin.put("/data/projects/P/resources/R/files/f", data=b"old")
        (file,) = (part.directory / "archive" / "projects").rglob("files/f")
        file.write_bytes(b"newer")
        asked = {"resource": "/archive/projects/P/resources/R", "options": "checksum,populateStats"}
        assert admin.post("/data/services/refresh/catalog", params=asked).status_code == 200
        (row,) = admin.rows("/data/projects/P/resources/R/files")
        assert row["Size"] == "5"
        (resource,) = admin.rows("/data/projects/P/resources")
        assert resource["file_size"] == "5"
        wait_until(lambda: admin.get("/health").ok, part, 5)
