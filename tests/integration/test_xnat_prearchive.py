"""What waits before it is archived: who decides, what conflicts, and that nothing is lost on the way."""

import pytest

from tests.integration.xnat_ground import MR, Client, altered, study, zip_of

pytestmark = pytest.mark.integration


@pytest.fixture
def admin(xnat):
    with Client(xnat) as client:
        yield client


@pytest.fixture
def project(admin):
    return admin.new_project()


def send(admin, project, content, **query):
    """Import without saying where to: the project's code decides."""
    order = {"project": project, "subject": "s1", "session": "e1"} | query
    return admin.post("/data/services/import", params=order, data=content)


def waiting(admin, project):
    return admin.rows(f"/data/prearchive/projects/{project}")


def archive(admin, row, **query):
    return admin.post("/data/services/archive", params={"src": f"/data{row['url']}"} | query)


class TestCodes:
    def test_by_default_a_session_is_archived_at_once(self, admin, project):
        answer = send(admin, project, zip_of(MR.read_bytes()))
        assert answer.text == f"/data/archive/projects/{project}/subjects/s1/experiments/e1\r\n"
        assert waiting(admin, project) == []

    def test_code_0_holds_it(self, admin, project):
        admin.put(f"/data/projects/{project}/prearchive_code/0")
        assert admin.get(f"/data/projects/{project}/prearchive_code").text == "0"
        answer = send(admin, project, zip_of(MR.read_bytes()))
        (row,) = waiting(admin, project)
        assert answer.text == f"/data{row['url']}\r\n"
        assert (row["status"], row["subject"], row["name"], row["autoarchive"]) == ("READY", "s1", "e1", "Manual")
        assert admin.rows(f"/data/projects/{project}/experiments") == []

    def test_code_5_replaces(self, admin, project):
        admin.put(f"/data/projects/{project}/prearchive_code/5")
        send(admin, project, zip_of(MR.read_bytes()))
        changed = altered(SeriesDescription="other")
        assert "/archive/" in send(admin, project, zip_of(changed)).text
        file = admin.rows(f"/data/projects/{project}/experiments/e1/scans/ALL/files")[0]
        assert admin.get(file["URI"]).content == changed

    def test_who_asks_for_the_archive_gets_it_whatever_the_code(self, admin, project):
        admin.put(f"/data/projects/{project}/prearchive_code/0")
        assert "/data/archive/" in admin.import_zip(project, zip_of(MR.read_bytes())).text


class TestConflict:
    def test_what_conflicts_waits_and_the_archive_keeps_what_it_has(self, admin, project):
        send(admin, project, zip_of(MR.read_bytes()))
        answer = send(admin, project, zip_of(altered(SeriesDescription="other")))
        (row,) = waiting(admin, project)
        assert answer.text == f"/data{row['url']}\r\n"
        assert row["status"] == "CONFLICT"
        file = admin.rows(f"/data/projects/{project}/experiments/e1/scans/ALL/files")[0]
        assert admin.get(file["URI"]).content == MR.read_bytes()

    def test_it_stays_until_somebody_says_what_shall_happen(self, admin, project):
        send(admin, project, zip_of(MR.read_bytes()))
        changed = altered(SeriesDescription="other")
        send(admin, project, zip_of(changed))
        (row,) = waiting(admin, project)
        assert archive(admin, row).status_code == 409
        assert archive(admin, row, overwrite="append").status_code == 409
        assert list((admin.part.directory / "archive" / "incoming").iterdir()) == []
        assert waiting(admin, project)[0]["status"] == "CONFLICT"
        assert archive(admin, row, overwrite="delete").status_code == 200
        assert waiting(admin, project) == []
        file = admin.rows(f"/data/projects/{project}/experiments/e1/scans/ALL/files")[0]
        assert admin.get(file["URI"]).content == changed

    def test_under_another_name_there_is_no_conflict(self, admin, project):
        for _ in range(2):
            send(admin, project, zip_of(MR.read_bytes()))
        (row,) = waiting(admin, project)
        answer = archive(admin, row, session="e2", subject="s2")
        assert answer.text.endswith("/subjects/s2/experiments/e2\r\n")
        fields = admin.get(answer.text.strip()).json()["items"][0]["data_fields"]
        assert (fields["label"], "status" in fields, "subject" in fields) == ("e2", False, False)
        assert admin.column(f"/data/projects/{project}/experiments", "label") == ["e1", "e2"]


class TestImages:
    def test_images_sent_one_by_one_gather_in_one_session(self, admin, project):
        for content in study(31, slices=3):
            query = {"import-handler": "gradual-DICOM", "dest": "/prearchive", "inbody": "true"}
            assert send(admin, project, content, **query).status_code == 200
        (row,) = waiting(admin, project)
        path = f"/data{row['url']}/scans"
        assert admin.column(path, "ID") == ["1"]
        files = admin.rows(f"{path}/1/resources/DICOM/files")
        assert admin.get(files[0]["URI"]).content in study(31, slices=3)
        assert archive(admin, row).status_code == 200
        assert len(admin.rows(f"/data/projects/{project}/experiments/e1/scans/1/files")) == 3

    def test_images_may_say_themselves_where_they_belong(self, admin, project):
        told = altered(PatientComments=f"Project:{project} Subject:anna Session:visit")
        answer = admin.post("/data/services/import", data=zip_of(told))
        assert answer.text == f"/data/archive/projects/{project}/subjects/anna/experiments/visit\r\n"


class TestRights:
    def test_only_who_may_write_sees_what_waits(self, admin, project):
        send(admin, project, zip_of(MR.read_bytes()), dest="/prearchive")
        (row,) = waiting(admin, project)
        with admin.new_user() as reader:
            admin.put(f"/data/projects/{project}/users/Collaborators/{reader.auth[0]}")
            assert reader.rows("/data/prearchive/projects") == []
            assert reader.get(f"/data/prearchive/projects/{project}").status_code == 403
            assert reader.get(f"/data{row['url']}").status_code == 403
            assert archive(reader, row).status_code == 403
            assert reader.delete(f"/data{row['url']}").status_code == 403
        with admin.new_user() as stranger:
            assert stranger.get(f"/data{row['url']}").status_code == 404
        assert len(waiting(admin, project)) == 1

    def test_nobody_moves_a_session_into_a_project_of_others(self, admin, project):
        send(admin, project, zip_of(MR.read_bytes()), dest="/prearchive")
        (row,) = waiting(admin, project)
        other = admin.new_project()
        with admin.new_user() as member:
            admin.put(f"/data/projects/{project}/users/Members/{member.auth[0]}")
            asked = {"src": row["url"], "newProject": other}
            assert member.post("/data/services/prearchive/move", params=asked).status_code == 404
            assert archive(member, row, project=other).status_code == 404
        assert len(waiting(admin, project)) == 1

    def test_what_waits_goes_with_its_project(self, admin, project):
        send(admin, project, zip_of(MR.read_bytes()), dest="/prearchive")
        (row,) = waiting(admin, project)
        admin.delete(f"/data/projects/{project}")
        admin.put(f"/data/projects/{project}")
        assert waiting(admin, project) == []
        assert not (admin.part.directory / "archive" / row["url"].strip("/").replace("projects/", "", 1)).exists()

    @pytest.mark.parametrize("src", ["", "/prearchive", "/prearchive/projects/../../x/y", "/archive/projects/p/a/b"])
    def test_an_odd_address_is_refused(self, admin, src):
        assert admin.post("/data/services/archive", params={"src": src}).status_code in {400, 404}
