"""The whole acceptance walk of the two clients that researchers use, unmodified: xnatpy and pyxnat."""

import gc
import tarfile
import zipfile
from hashlib import md5
from pathlib import Path

import pydicom
import pytest
import pyxnat
import xnat as xnatpy
import yaml

from infra.parts.xnat import ADMIN
from tests.integration.xnat_ground import MR, Client, altered, study, zip_of

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
        assert (found.name, found.secondary_id) == (f"Study {project}", "hub-1")
        assert session.projects[f"Study {project}"].id == project
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
        assert session.prearchive.sessions(project) == []
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

    def test_it_imports_into_the_prearchive_and_archives_from_there(self, session, project):
        content = zip_of(*study(71, slices=2))
        waiting = session.services.import_(
            data=content, project=project, subject="anna", experiment="visit", destination="/prearchive"
        )
        assert (waiting.status, waiting.subject, waiting.label) == ("READY", "anna", "visit")
        (scan,) = waiting.scans
        (resource,) = scan.resources
        assert (resource.file_count, sorted(file.name for file in resource.files)) == (
            2,
            ["1.2.71.1.1.dcm", "1.2.71.1.2.dcm"],
        )
        archived = waiting.archive()
        assert archived.scans["1"].resources["DICOM"].file_count == 2
        assert session.prearchive.sessions(project) == []

    def test_it_moves_rebuilds_and_deletes_in_the_prearchive(self, session, admin, project, tmp_path):
        other = admin.new_project()
        for number in (72, 73):
            admin.import_zip(project, zip_of(*study(number)), session=f"e{number}", dest="/prearchive")
        first, second = session.prearchive.sessions(project)
        first.rebuild()
        first.move(other)
        second.delete()
        assert session.prearchive.sessions(project) == []
        (moved,) = session.prearchive.sessions(other)
        moved.download(tmp_path / "moved.zip")
        with zipfile.ZipFile(tmp_path / "moved.zip") as zipped:
            assert zipped.testzip() is None
            assert len(zipped.namelist()) == 1

    def test_it_edits_fields_and_reads_them_back(self, session, project):
        subject = session.classes.SubjectData(parent=session.projects[project], label="anna")
        imported = session.services.import_(
            data=zip_of(MR.read_bytes()), project=project, subject="anna", experiment="visit"
        )
        imported.scans["1"].quality = "usable"
        imported.scans["1"].type = "T1w"
        session.clearcache()
        scan = session.projects[project].experiments["visit"].scans["T1w"]
        assert (scan.id, scan.quality) == ("1", "usable")
        assert [row.label for row in subject.experiments.tabulate(columns=["label"])] == ["visit"]


class TestPyxnat:
    """It asks for CSV, sends multipart, and knows types by their xsiType alone."""

    @pytest.fixture
    def interface(self, xnat):
        connected = pyxnat.Interface(xnat.url, user=ADMIN, password=xnat.password)
        yield connected
        connected.disconnect()

    @pytest.fixture
    def scan(self, admin, interface, project):
        content = zip_of(*study(81, slices=3))
        assert admin.import_zip(project, content, subject="anna", session="visit").status_code == 200
        return interface.select.project(project).subject("anna").experiment("visit").scan("1")

    def test_it_creates_every_level(self, interface, project):
        experiment = interface.select.project(project).subject("bert").experiment("visit")
        experiment.create(experiments="xnat:mrSessionData")
        assert experiment.exists()
        assert interface.select.project(project).subject("bert").label() == "bert"
        scan = experiment.scan("7")
        scan.create(scans="xnat:mrScanData")
        assert interface.select(f"/project/{project}/subject/bert/experiment/visit/scans").get() == ["7"]

    def test_it_lists_by_csv(self, interface, project, scan):
        assert project in interface.select.projects().get()
        assert [s.label() for s in interface.select.project(project).subjects()] == ["anna"]
        (session,) = interface.select.project(project).subject("anna").experiments()
        assert (session.label(), session.datatype()) == ("visit", "xnat:mrSessionData")
        assert sorted(file.label() for file in scan.resource("DICOM").files()) == [
            f"1.2.81.1.{n}.dcm" for n in (1, 2, 3)
        ]

    def test_it_uploads_reads_and_deletes_a_file(self, interface, project, tmp_path):
        (tmp_path / "labels.csv").write_text("id,label\n1,2\n")
        file = interface.select.project(project).resource("LABELS").file("labels.csv")
        file.put(str(tmp_path / "labels.csv"), format="CSV", content="labels", tags="t")
        assert file.exists()
        assert Path(file.get(str(tmp_path / "back.csv"))).read_text() == "id,label\n1,2\n"
        assert (int(file.size()), file.format(), file.content()) == (13, "CSV", "labels")
        file.delete()
        assert not file.exists()

    def test_it_downloads_a_session_as_a_zip(self, interface, project, scan, tmp_path):
        session = interface.select.project(project).subject("anna").experiment("visit")
        session.scans().download(str(tmp_path), type="ALL", extract=True)
        assert len(list(tmp_path.rglob("*.dcm"))) == 3

    def test_it_reads_and_sets_attributes(self, interface, project, scan):
        scan.attrs.set("quality", "usable")
        assert scan.attrs.get("quality") == "usable"
        assert scan.attrs.get("xnat:imageScanData/quality") == "usable"

    def test_it_knows_who_belongs_to_a_project(self, interface, project, member):
        login = member.auth[0]
        interface.select.project(project).add_user(login, "member")
        assert login in interface.select.project(project).users()
        assert interface.select.project(project).user_role(login) == "member"
        interface.select.project(project).remove_user(login)
        assert login not in interface.select.project(project).users()

    def test_it_deletes(self, interface, project, scan):
        interface.select.project(project).subject("anna").delete()
        assert interface.select.project(project).subjects().get() == []


SDIST = Path(__file__).parents[2] / "build" / "cache" / "xnat-0.8.1.tar.gz"


@pytest.mark.skipif(not SDIST.exists(), reason="the demo has not fetched xnatpy's sources")
class TestXnatpysOwnFixtures:
    """What xnatpy's functional tests do against a real XNAT, with their data and their expectations."""

    @pytest.fixture(scope="class")
    def resources(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("xnatpy")
        with tarfile.open(SDIST) as packed:
            wanted = ("resources/Case001/", "resources/ANONYMIZ.zip", "tests/dummy_data.yaml")
            packed.extractall(folder, [m for m in packed if any(each in m.name for each in wanted)], filter="data")
        return folder / "xnat-0.8.1" / "xnat" / "tests"

    def test_its_dummy_project_lists_as_described(self, session, admin, resources):
        described = yaml.safe_load((resources / "dummy_data.yaml").read_text())
        admin.put("/data/projects/dummy", params={"name": described["name"], "pi_lastname": described["pi_lastname"]})
        for subject in described["subjects"]:
            admin.put(f"/data/projects/dummy/subjects/{subject['label']}")
            for experiment in subject["experiments"]:
                path = f"/data/projects/dummy/subjects/{subject['label']}/experiments/{experiment['label']}"
                admin.put(path, params={"xsiType": experiment["xsiType"]})
                for scan in experiment.get("scans", []):
                    self.lay_out(admin, f"{path}/scans/{scan['ID']}", scan)
        session.clearcache()
        project = session.projects["dummy"]
        assert project.name == described["name"]
        assert admin.rows("/data/projects", ID="dummy")[0]["pi_lastname"] == described["pi_lastname"]
        for experiment in described["subjects"][0]["experiments"]:
            found = project.subjects["case001"].experiments[experiment["label"]]
            assert [(scan.id, scan.type) for scan in found.scans.values()] == [
                (scan["ID"], scan["type"]) for scan in experiment.get("scans", [])
            ]
        file = project.experiments["exp01"].scans["FLAIR"].resources["DICOM"].files["slice.dcm"]
        assert file.open().read() == b"Another DICOM slice!"
        admin.delete("/data/projects/dummy")

    def lay_out(self, admin, path, scan):
        assert admin.put(path, params={"xsiType": scan["xsiType"], "type": scan["type"]}).status_code == 201
        for resource in scan.get("resources", []):
            for file in resource["files"]:
                admin.put(f"{path}/resources/{resource['label']}/files/{file['name']}", data=file["content"].encode())

    def test_its_zip_of_a_real_study_imports_as_at_a_real_xnat(self, session, admin, project, resources):
        # It packs two GIFs as well, which a real XNAT passes over unasked.
        content = (resources / "resources" / "ANONYMIZ.zip").read_bytes()
        assert admin.import_zip(project, content, "s1", "e1").status_code == 400
        for subject, label in [("s1", "e1"), ("", "")]:
            assert (
                admin.import_zip(project, content, subject, label, **{"Ignore-Unparsable": "true"}).status_code == 200
            )
        by_label = session.projects[project].experiments
        assert (by_label["e1"].subject.label, by_label["ANONYMIZ"].subject.label) == ("s1", "ANONYMIZ")
        for found in by_label.values():
            assert type(found).__name__ == "MrSessionData"
            assert sorted({scan.id for scan in found.scans.values()}) == ["3", "5", "6"]
            assert found.scans["5"].type == "--ANONYMIZ_00000000_0000000.00_FLAIRfinal--"

    def test_its_folder_of_a_real_study_imports_as_at_a_real_xnat(self, session, project, resources):
        folder = resources / "resources" / "Case001"
        imported = session.services.import_dir(folder, project=project, subject="s3", experiment="e3")
        assert imported.subject.label == "s3"
        assert len({scan.id for scan in imported.scans.values()}) == 10
        assert imported.scans["8"].type == "T1 SPIN ECHO"
        assert imported.scans["9"].type == "HEME SUSEPTIBILITY"
