"""The archive over plain HTTP: what the clients never say, and what a process that is killed leaves."""

import os
import secrets
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5

import pytest
import requests

from infra.parts.part import free_port, wait_until
from infra.parts.xnat import ADMIN, Xnat
from tests.integration.xnat_ground import CT, MR, Client, altered, uploading, zip_of

pytestmark = pytest.mark.integration


@pytest.fixture
def admin(xnat):
    with Client(xnat) as client:
        yield client


@pytest.fixture
def project(admin):
    return admin.new_project()


@pytest.fixture
def member(admin):
    """Return a client whose user exists but belongs to no project yet."""
    with admin.new_user() as client:
        yield client


class TestLogin:
    @pytest.mark.parametrize(
        "path", ["/data/projects", "/data/JSESSION", "/xapi/users", "/data/auth", "/data/no/such", "/xapi/schemas"]
    )
    def test_nobody_gets_a_page_to_log_in(self, xnat, path):
        answer = requests.get(f"{xnat.url}{path}", timeout=10)
        assert answer.status_code == 401
        assert "<h3>" in answer.text

    def test_a_session_stands_for_its_user_until_it_is_closed(self, xnat, admin):
        cookies = {"JSESSIONID": admin.get("/data/JSESSION").text}
        who = requests.get(f"{xnat.url}/data/auth", cookies=cookies, timeout=10)
        assert who.text == f"User '{ADMIN}' is logged in"
        requests.delete(f"{xnat.url}/data/JSESSION", cookies=cookies, timeout=10)
        assert requests.get(f"{xnat.url}/data/auth", cookies=cookies, timeout=10).status_code == 401

    def test_an_upload_that_is_refused_still_hears_why(self, xnat):
        pieces = (b"x" * 1_000_000 for _ in range(20))
        answer = requests.put(f"{xnat.url}/data/projects/p/resources/R/files/f", data=pieces, timeout=30)
        assert answer.status_code == 401

    def test_health_needs_no_login(self, xnat):
        assert requests.get(f"{xnat.url}/health", timeout=10).json()["status"] == "ok"


class TestMembership:
    def test_a_stranger_sees_nothing_of_a_project(self, project, member):
        assert project not in member.column("/data/projects", "ID")
        for path in ("", "/subjects", "/users", "/resources", "/experiments"):
            assert member.get(f"/data/projects/{project}{path}").status_code == 404
        assert member.import_zip(project, zip_of(MR.read_bytes())).status_code == 404

    def test_a_member_writes_but_does_not_govern(self, admin, project, member):
        login = member.auth[0]
        users = admin.put(f"/data/projects/{project}/users/Members/{login}").json()["ResultSet"]["Result"]
        assert {row["login"]: row["displayname"] for row in users}[login] == "Members"
        assert member.import_zip(project, zip_of(MR.read_bytes())).status_code == 200
        assert member.delete(f"/data/projects/{project}").status_code == 403
        assert member.put(f"/data/projects/{project}/users/Owners/{login}").status_code == 403

    def test_a_collaborator_only_reads(self, admin, project, member):
        of_everybody = set(member.column("/data/projects", "ID"))
        admin.put(f"/data/projects/{project}/users/{project}_collab/{member.auth[0]}@example.org")
        assert set(member.column("/data/projects", "ID")) - of_everybody == {project}
        assert member.put(f"/data/projects/{project}/subjects/s").status_code == 403

    def test_who_was_removed_is_a_stranger_again(self, admin, project, member):
        address = f"/data/projects/{project}/users/Members/{member.auth[0]}"
        admin.put(address)
        assert member.get(f"/data/projects/{project}").status_code == 200
        assert admin.delete(address).status_code == 200
        assert member.get(f"/data/projects/{project}").status_code == 404

    def test_only_the_administrator_makes_users(self, admin, member):
        assert member.post("/xapi/users", json={"username": "x", "password": "y"}).status_code == 403
        taken = {"username": member.auth[0], "password": "y"}
        assert admin.post("/xapi/users", json=taken).status_code == 409
        assert admin.post("/xapi/users", data=b"no json").status_code == 400
        assert member.auth[0] in admin.get("/xapi/users").json()

    def test_a_disabled_user_is_out(self, admin, member):
        assert member.get("/data/auth").status_code == 200
        admin.put(f"/xapi/users/{member.auth[0]}/enabled/false")
        assert member.get("/data/auth").status_code == 401


class TestImport:
    def test_the_answer_is_one_address_with_crlf(self, admin, project):
        answer = admin.import_zip(project, zip_of(MR.read_bytes()))
        assert answer.text == f"/data/archive/projects/{project}/subjects/s1/experiments/e1\r\n"
        assert admin.get(answer.text.strip()).json()["items"][0]["meta"]["xsi:type"] == "xnat:mrSessionData"

    def test_a_session_that_exists_is_refused_by_default(self, admin, project):
        content = zip_of(MR.read_bytes())
        assert admin.import_zip(project, content).status_code == 200
        assert admin.import_zip(project, content).status_code == 409
        assert admin.import_zip(project, content, subject="s2", overwrite="append").status_code == 409

    def test_append_adds_series_and_repeats_change_nothing(self, admin, project):
        more = altered(SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4")
        admin.import_zip(project, zip_of(MR.read_bytes()))
        for _ in range(2):
            assert admin.import_zip(project, zip_of(MR.read_bytes(), more), overwrite="append").status_code == 200
        scans = f"/data/projects/{project}/experiments/e1/scans"
        assert admin.column(scans, "ID") == ["1", "1-MR1"]
        assert len(admin.rows(f"{scans}/ALL/files")) == 2

    def test_append_refuses_what_delete_replaces(self, admin, project):
        admin.import_zip(project, zip_of(MR.read_bytes()))
        changed = altered(SeriesDescription="other")
        assert admin.import_zip(project, zip_of(changed), overwrite="append").status_code == 409
        digests = f"/data/projects/{project}/experiments/e1/scans/1/resources/DICOM/files"
        assert admin.column(digests, "digest") == [md5(MR.read_bytes()).hexdigest()]
        assert admin.import_zip(project, zip_of(changed), overwrite="delete").status_code == 200
        assert admin.column(digests, "digest") == [md5(changed).hexdigest()]

    def test_another_study_does_not_mix_in(self, admin, project):
        admin.import_zip(project, zip_of(MR.read_bytes()))
        assert admin.import_zip(project, zip_of(CT.read_bytes()), overwrite="append").status_code == 409

    @pytest.mark.parametrize(
        "content",
        [b"", b"no zip", zip_of(), zip_of(b"text"), zip_of(MR.read_bytes(), b"text"), zip_of(MR.read_bytes())[:-30]],
    )
    def test_a_bad_zip_stores_nothing(self, admin, project, content):
        assert admin.import_zip(project, content).status_code == 400
        assert admin.rows(f"/data/projects/{project}/experiments") == []
        assert admin.rows(f"/data/projects/{project}/subjects") == []
        assert list((admin.part.directory / "archive" / "incoming").iterdir()) == []

    def test_an_unknown_project_is_not_made_up(self, admin):
        assert admin.import_zip("nowhere", zip_of(MR.read_bytes())).status_code == 404

    def test_many_at_once_all_arrive(self, admin, project):
        def send(number):
            uid = f"1.2.{number}"
            study = altered(StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1", SOPInstanceUID=f"{uid}.1.1")
            with Client(admin.part, *admin.auth) as client:
                return client.import_zip(project, zip_of(study), f"s{number % 3}", f"e{number}").status_code

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(send, range(12))) == [200] * 12
        assert len(admin.rows(f"/data/projects/{project}/experiments")) == 12
        assert len(admin.rows(f"/data/projects/{project}/subjects")) == 3


class TestFiles:
    def test_raw_multipart_and_chunked_uploads_store_the_same_bytes(self, admin, project):
        content = os.urandom(3_000_000)
        folder = f"/data/projects/{project}/resources/R/files"
        pieces = (content[start : start + 100_000] for start in range(0, len(content), 100_000))
        assert admin.put(f"{folder}/raw", params={"inbody": "true"}, data=content).status_code == 200
        assert admin.put(f"{folder}/deep/chunked", data=pieces).status_code == 200
        assert admin.post(f"{folder}/multipart", files={"file": ("x", content)}).status_code == 200
        assert set(admin.column(folder, "digest")) == {md5(content).hexdigest()}
        assert admin.get(f"{folder}/multipart").content == content

    def test_head_tells_the_size_and_sends_no_body(self, admin, project):
        path = f"/data/projects/{project}/resources/R/files/f"
        admin.put(path, data=b"12345")
        head = admin.head(path)
        assert (head.headers["Content-Length"], head.content) == ("5", b"")
        assert admin.get(path).content == b"12345"

    def test_an_upload_that_breaks_off_stores_nothing(self, admin, project):
        incoming = admin.part.directory / "archive" / "incoming"
        with uploading(admin.part, f"/data/projects/{project}/resources/R/files/f"):
            assert len(list(incoming.iterdir())) == 2
        wait_until(lambda: not any(incoming.iterdir()), admin.part, 10)
        assert admin.rows(f"/data/projects/{project}/resources") == []

    @pytest.mark.parametrize("path", ["%2e%2e/f", "a/%2e%2e/%2e%2e/f", "a%5cb", "x" * 256])
    def test_a_path_never_leaves_its_resource(self, admin, project, path):
        request = requests.Request("PUT", f"{admin.part.url}/data/projects/{project}/resources/R/files/", data=b"x")
        prepared = admin.prepare_request(request)
        prepared.url += path
        assert admin.send(prepared).status_code == 400

    def test_tables_come_as_csv(self, admin, project):
        admin.put(f"/data/projects/{project}/subjects/anna")
        answer = admin.get(f"/data/projects/{project}/subjects", params={"format": "csv", "columns": "label"})
        assert answer.text.splitlines()[0] == "label,ID,URI"
        assert answer.text.splitlines()[1].startswith("anna,XNAT_S")

    def test_a_session_needs_its_type(self, admin, project):
        path = f"/data/projects/{project}/subjects/anna"
        assert [admin.put(path).status_code, admin.put(path).status_code] == [201, 200]
        assert admin.put(f"{path}/experiments/visit").status_code == 400
        assert admin.put(f"{path}/experiments/visit", params={"xsiType": "xnat:ctSessionData"}).status_code == 201


class TestProcess:
    """Processes of its own, since they are killed."""

    @pytest.fixture
    def part(self, tmp_path):
        return Xnat(tmp_path, free_port(), secrets.token_hex(8))

    @pytest.fixture
    def start(self, part):
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

    def test_all_is_there_after_a_kill_in_the_middle_of_an_upload(self, part, start):
        process = start()
        with Client(part, ADMIN, part.password) as admin:
            admin.put("/data/projects/P", params={"name": "A study"})
            admin.post("/xapi/users", json={"username": "ada", "password": "pass"})
            admin.put("/data/projects/P/users/Members/ada")
            admin.import_zip("P", zip_of(MR.read_bytes()))
            admin.put("/data/projects/P/resources/LABELS/files/labels.csv", data=b"a,b\n")
            before = admin.get("/data/projects/P/experiments/e1").json()
            files = admin.rows("/data/projects/P/experiments/e1/scans/ALL/files")
        with uploading(part, "/data/projects/P/resources/BIG/files/f"):
            process.send_signal(signal.SIGKILL)
            process.wait()
        start()
        with Client(part, "ada", "pass") as ada:
            assert ada.get("/data/projects/P/experiments/e1").json() == before
            assert ada.rows("/data/projects/P/experiments/e1/scans/ALL/files") == files
            assert ada.get("/data/projects/P/resources/LABELS/files/labels.csv").content == b"a,b\n"
            assert ada.column("/data/projects/P/resources", "label") == ["LABELS"]
            assert list((part.directory / "archive" / "incoming").iterdir()) == []

    def test_sigterm_ends_it_in_time_even_with_a_client_connected(self, part, start):
        process = start()
        with Client(part, ADMIN, part.password) as admin:
            admin.put("/data/projects/P")
            with uploading(part, "/data/projects/P/resources/R/files/f"):
                process.send_signal(signal.SIGTERM)
                process.wait(5)
        assert process.returncode in {0, -signal.SIGTERM}
