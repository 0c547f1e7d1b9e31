"""The whole acceptance walk of the two clients that researchers use, unmodified: xnatpy and pyxnat."""

import gc
import zipfile
from hashlib import md5

import pydicom
import pytest
import xnat as xnatpy

from infra.parts.xnat import ADMIN
from tests.integration.xnat_ground import MR, Client, altered, zip_of

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


@pytest.fixture
def session(xnat, project):
    with xnatpy.connect(xnat.url, user=ADMIN, password=xnat.password, loglevel="ERROR") as connected:
        yield connected


class TestXnatpy:
    def test_it_knows_the_version_and_the_project(self, session, project):
        assert session.xnat_version == "1.9.0"
        found = session.projects[project]
        assert (found.name, found.secondary_id) == ("A study", "hub-1")
        assert session.projects["A study"] is not None
        assert found.access_level == "Owners"

    def test_it_creates_a_subject_and_a_session(self, session, project):
        subject = session.classes.SubjectData(parent=session.projects[project], label="anna")
        created = session.classes.MrSessionData(parent=subject, label="visit")
        assert subject.id.startswith("XNAT_S")
        assert created.id.startswith("XNAT_E")
        assert subject.experiments["visit"].subject.label == "anna"
        created.label = "renamed"
        session.clearcache()
        assert session.projects[project].experiments["renamed"].id == created.id

    def test_it_imports_lists_and_reads_a_study(self, session, project):
        imported = session.services.import_(
            data=zip_of(MR.read_bytes()), project=project, subject="anna", experiment="visit", overwrite="none"
        )
        assert (imported.label, imported.modality, str(imported.date)) == ("visit", "MR", "2004-08-26")
        assert type(imported).__name__ == "MrSessionData"
        scan = imported.scans["1"]
        assert scan.resources["DICOM"].file_count == 1
        (file,) = scan.files.values()
        assert (int(file.size), file.digest) == (MR.stat().st_size, md5(MR.read_bytes()).hexdigest())
        assert scan.read_dicom(read_pixel_data=True).PixelData == pydicom.dcmread(MR).PixelData
        assert session.projects[project].subjects["anna"].experiments["visit"].id == imported.id

    def test_it_downloads_a_scan_and_a_session(self, session, project, tmp_path):
        content = zip_of(MR.read_bytes(), altered(SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4", SeriesNumber=7))
        imported = session.services.import_(data=content, project=project, subject="anna", experiment="visit")
        imported.scans["7"].download(tmp_path / "scan.zip", verbose=False)
        with zipfile.ZipFile(tmp_path / "scan.zip") as zipped:
            assert zipped.namelist() == ["visit/scans/7-MR/resources/DICOM/files/1.2.3.4.dcm"]
        imported.download_dir(tmp_path / "all", verbose=False)
        assert len(list((tmp_path / "all").rglob("*.dcm"))) == 2

    def test_it_uploads_into_a_resource_of_the_project(self, session, project, tmp_path):
        resource = session.projects[project].create_resource("LABELS")
        resource.upload_data("id,label\n", "labels.csv")
        with pytest.raises(xnatpy.exceptions.XNATUploadError, match="409"):
            resource.upload_data("other\n", "labels.csv")
        resource.upload_data("id,label\n1,2\n", "labels.csv", overwrite=True)
        (tmp_path / "below").mkdir()
        (tmp_path / "below" / "note.txt").write_text("hello")
        resource.upload_dir(tmp_path)
        assert {file.path for file in resource.files.values()} == {"below/note.txt", "labels.csv"}
        assert resource.files["labels.csv"].open().read() == b"id,label\n1,2\n"
        resource.files["below/note.txt"].delete()
        resource.clearcache()
        assert [file.path for file in resource.files.values()] == ["labels.csv"]

    def test_it_lists_users_tokens_prearchive_and_tables(self, session, project, xnat):
        assert session.projects[project].users[ADMIN].access_level == "Owners"
        assert ADMIN in session.users
        assert session.prearchive.sessions() == []
        token = session.services.issue_token()
        with xnatpy.connect(xnat.url, user=token.alias, password=token.secret, loglevel="ERROR") as again:
            assert project in again.projects
        assert {row.ID for row in session.projects.tabulate()} >= {project}

    def test_it_gives_and_takes_access(self, session, project, member):
        login = member.auth[0]
        found = session.projects[project]
        found.set_access(login, "Members")
        assert found.users[login].group == f"{project}_member"
        found.remove_access(found.users[login])
        assert login not in found.users

    def test_it_deletes(self, session, admin, project):
        admin.put(f"/data/projects/{project}/subjects/anna")
        # xnatpy asks every listing that is still alive, those of closed sessions as well.
        gc.collect()
        session.projects[project].subjects["anna"].delete()
        assert list(session.projects[project].subjects) == []
        session.projects[project].delete()
        assert project not in session.projects

    def test_a_wrong_password_is_a_failed_login(self, xnat):
        with pytest.raises(xnatpy.exceptions.XNATLoginFailedError):
            xnatpy.connect(xnat.url, user=ADMIN, password="wrong", loglevel="CRITICAL")
