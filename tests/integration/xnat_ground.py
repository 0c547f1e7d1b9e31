"""A client of the archive, and DICOM to send it."""

import base64
import io
import json
import secrets
import socket
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pydicom
import requests
from pydicom.data import get_testdata_file

from infra.parts.part import wait_until
from infra.parts.xnat import ADMIN

MR = Path(get_testdata_file("MR_small.dcm"))
CT = Path(get_testdata_file("CT_small.dcm"))


def zip_of(*contents):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for number, content in enumerate(contents):
            target.writestr(f"{number}.dcm", content)
    return packed.getvalue()


def altered(source=MR, **changes):
    """Return a DICOM file's bytes with some elements changed."""
    dataset = pydicom.dcmread(source)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    written = io.BytesIO()
    dataset.save_as(written)
    return written.getvalue()


def study(number, slices=1, source=MR):
    """Return the files of a study of its own, one series of some slices."""
    uid = f"1.2.{number}"
    named = {"StudyInstanceUID": uid, "SeriesInstanceUID": f"{uid}.1"}
    return [altered(source, SOPInstanceUID=f"{uid}.1.{n}", InstanceNumber=n, **named) for n in range(1, slices + 1)]


def lay_out_sessions(root, count):
    """Lay out a project of that many sessions, a scan with a file in each, as the archive itself would."""

    def write(folder, name, document):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(document))

    project = root / "projects" / "P"
    write(project, "node.json", {"id": "P", "fields": {"name": "P"}, "members": {"admin": "owner"}})
    subject = {"id": "XNAT_S00001", "fields": {"label": "s", "insert_date": "2026"}, "members": {}}
    write(project / "subjects" / "XNAT_S00001", "node.json", subject)
    for number in range(count):
        name = f"XNAT_E{number:05d}"
        fields = {"label": f"e{number}", "subject_ID": "XNAT_S00001", "xsiType": "xnat:mrSessionData"}
        fields |= {"date": f"20{number % 20:02d}-01-02", "UID": f"1.2.{number}", "insert_date": "2026"}
        session = project / "experiments" / name
        write(session, "node.json", {"id": name, "fields": fields, "members": {}})
        scan = {
            "id": "1",
            "fields": {"type": "T1", "xsiType": "xnat:mrScanData", "UID": f"1.2.{number}.1"},
            "members": {},
        }
        write(session / "scans" / "1", "node.json", scan)
        resource = session / "scans" / "1" / "resources" / "DICOM"
        notes = {"format": "DICOM", "content": "RAW", "tags": ""}
        write(resource, "resource.json", {"id": str(number), "label": "DICOM", "notes": notes})
        (resource / "files").mkdir()
        (resource / "files" / "1.dcm").write_bytes(b"x")


@contextmanager
def uploading(part, path):
    """Hold an upload open in the middle of its body, once its first bytes are on the archive's disk."""
    token = base64.b64encode(f"{ADMIN}:{part.password}".encode()).decode()
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {token}\r\nContent-Length: 9999999\r\n\r\n"
    incoming = part.directory / "archive" / "incoming"
    with socket.create_connection(("127.0.0.1", part.port)) as line:
        line.sendall(head.encode() + b"x" * 100_000)
        wait_until(lambda: any(file.is_file() for file in incoming.iterdir()), part, 10)
        yield


class Client(requests.Session):
    """Plain HTTP with Basic credentials."""

    def __init__(self, part, login=ADMIN, password=None):
        super().__init__()
        self.part = part
        self.auth = (login, part.password if password is None else password)

    def request(self, method, path, *args, **kwargs):
        return super().request(method, f"{self.part.url}{path}", *args, timeout=30, **kwargs)

    def rows(self, path, **query):
        answer = self.get(path, params={"format": "json"} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()["ResultSet"]["Result"]

    def column(self, path, name, **query):
        return [row[name] for row in self.rows(path, **query)]

    def import_zip(self, project, content, subject="s1", session="e1", **query):
        order = {"import-handler": "DICOM-zip", "dest": "/archive", "project": project}
        order |= {"subject": subject, "session": session} | query
        headers = {"Content-Type": "application/zip"}
        return self.post("/data/services/import", params=order, data=content, headers=headers)

    def new_project(self):
        name = f"p{secrets.token_hex(4)}"
        said = {"name": f"Study {name}", "secondary_ID": "hub-1"}
        assert self.put(f"/data/projects/{name}", params=said).status_code == 201
        return name

    def new_user(self):
        """Return a client whose user exists but belongs to no project yet."""
        login = f"u{secrets.token_hex(4)}"
        account = {"username": login, "password": "pass", "email": f"{login}@example.org", "firstName": "Ada"}
        assert self.post("/xapi/users", json=account).status_code == 201
        return Client(self.part, login, "pass")
