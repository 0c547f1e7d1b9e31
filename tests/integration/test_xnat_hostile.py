"""Input that means harm: refused with a 4xx and a sentence, nothing stored, and the archive goes on."""

import io
import socket
import tarfile
import zipfile

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.integration.xnat_ground import MR, Client, altered, zip_of

pytestmark = pytest.mark.integration


@pytest.fixture
def admin(xnat):
    with Client(xnat) as client:
        yield client


@pytest.fixture
def project(admin):
    return admin.new_project()


@pytest.fixture(autouse=True)
def nothing_is_left(admin, project):
    """After every test the project is empty, nothing lies in `incoming`, and the archive still answers."""
    yield
    for kind in ("experiments", "subjects"):
        assert admin.rows(f"/data/projects/{project}/{kind}") == []
    assert admin.rows(f"/data/projects/{project}/files") == []
    assert list((admin.part.directory / "archive" / "incoming").iterdir()) == []


def bomb(size=200_000_000):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target, target.open("zeros.dcm", "w") as member:
        for _ in range(size // 1_000_000):
            member.write(bytes(1_000_000))
    return packed.getvalue()


def named(*names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name in names:
            target.writestr(name, MR.read_bytes())
    return packed.getvalue()


def tarred(name, kind=tarfile.REGTYPE, link=""):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as target:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
        target.addfile(member, io.BytesIO(b"abc") if kind == tarfile.REGTYPE else None)
    return packed.getvalue()


def lying_directory():
    """Return a zip that says its table of contents is larger than any it could have."""
    content = bytearray(zip_of(MR.read_bytes()))
    end = content.rfind(b"PK\x05\x06")
    content[end + 12 : end + 16] = (0xFFFFFFF0).to_bytes(4, "little")
    return bytes(content)


def deflated():
    dataset = pydicom.dcmread(MR)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.PixelData = bytes(20_000_000)
    written = io.BytesIO()
    dataset.save_as(written)
    return written.getvalue()


ODD_NAMES = ["../../evil.dcm", "/etc/evil.dcm", "a/../../b.dcm", "a\\..\\b.dcm", "x\ny.dcm"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_in_a_zip_that_lead_elsewhere(admin, project, name):
    assert admin.import_zip(project, named(name)).status_code == 400
    into = f"/data/projects/{project}/resources/R/files/x.zip"
    assert admin.put(into, params={"extract": "true"}, data=named(name)).status_code == 400


def test_two_files_of_one_name_in_a_zip(admin, project):
    with pytest.warns(UserWarning, match="Duplicate"):
        content = named("a.dcm", "a.dcm")
    assert admin.import_zip(project, content).status_code == 400


@pytest.mark.parametrize(
    "content",
    [tarred("../x"), tarred("link", tarfile.SYMTYPE, "/etc/passwd"), tarred("hard", tarfile.LNKTYPE, "x")],
    ids=["path", "symbolic link", "hard link"],
)
def test_a_tar_that_leads_elsewhere(admin, project, content):
    assert admin.import_zip(project, content).status_code == 400


def test_a_zip_bomb(admin, project):
    answer = admin.import_zip(project, bomb())
    assert answer.status_code == 413
    assert "larger than itself" in answer.text
    into = f"/data/projects/{project}/resources/R/files/x.zip"
    assert admin.put(into, params={"extract": "true"}, data=bomb()).status_code == 413


def test_a_zip_whose_table_of_contents_would_fill_the_memory(admin, project):
    assert admin.import_zip(project, lying_directory()).status_code == 400


def test_a_body_that_announces_too_much(admin, project):
    token = f"JSESSIONID={admin.get('/data/JSESSION').text}"
    head = (
        f"POST /data/services/import?project={project}&subject=s&session=e HTTP/1.1\r\nHost: x\r\nCookie: {token}\r\n"
    )
    with socket.create_connection(("127.0.0.1", admin.part.port)) as line:
        line.sendall(f"{head}Content-Length: {1 << 50}\r\n\r\n".encode())
        line.settimeout(10)
        assert line.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 128 + b"DICM" + b"\xff" * 500,
        MR.read_bytes()[:200],
        altered(SOPInstanceUID=""),
        altered(SeriesInstanceUID=None),
        deflated(),
    ],
    ids=["garbage", "cut off", "no UID", "no series", "deflated"],
)
def test_bad_dicom(admin, project, content):
    assert admin.import_zip(project, zip_of(content)).status_code == 400


def test_a_uid_that_is_a_path_stays_a_file_name(admin, project):
    content = altered(SOPInstanceUID="../../../evil")
    assert admin.import_zip(project, zip_of(content)).status_code == 200
    (file,) = admin.rows(f"/data/projects/{project}/experiments/e1/scans/ALL/files")
    assert "/" not in file["Name"]
    admin.delete(f"/data/projects/{project}/subjects/s1")


@pytest.mark.parametrize("where", ["subject", "session"])
@pytest.mark.parametrize("label", ["a\r\nSet-Cookie: x=1", "<script>", "../x", "a/b", "x" * 200, "\0"])
def test_labels_that_are_more_than_names(admin, project, where, label):
    assert admin.import_zip(project, zip_of(MR.read_bytes()), **{where: label}).status_code == 400


def test_no_header_can_be_slipped_in(admin, project):
    path = f"/data/projects/{project}/resources/R%0d%0aSet-Cookie:%20x=1/files/f%0d%0aX-Evil:%201"
    answer = admin.put(path, data=b"x")
    assert answer.status_code == 404
    assert "X-Evil" not in answer.headers
    for page in ("/data/projects?format=csv%0d%0aX-Evil:1&columns=%0d%0aX-Evil", "/web/static/%0d%0aX-Evil:%201"):
        assert "X-Evil" not in admin.get(page).headers


@pytest.mark.parametrize(
    "query", [{"limit": "-1"}, {"offset": "x"}, {"date": "99/99/2017-01/01/2018"}, {"overwrite": "maybe"}]
)
def test_queries_that_make_no_sense(admin, project, query):
    if "overwrite" in query:
        assert admin.import_zip(project, zip_of(MR.read_bytes()), **query).status_code == 400
    else:
        assert admin.get(f"/data/projects/{project}/experiments", params=query).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000, b'{"username": 1}', b"x" * 2_000_000])
def test_bodies_that_are_no_account(admin, body):
    assert admin.post("/xapi/users", data=body).status_code in {400, 413}


def test_a_login_larger_than_a_login(admin):
    assert admin.put("/data/services/auth", data=b"x" * 100_000).status_code == 413
    assert admin.post("/web/login", data=b"x" * 100_000).status_code == 413
