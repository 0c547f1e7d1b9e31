"""`trustflow node check` against real parts and a PACS that misbehaves: each fault is named with its remedy."""

import base64
import json
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.parts.orthanc import USER, Orthanc
from infra.parts.part import free_port, running
from infra.parts.xnat import ADMIN
from infra.parts.xnat import Xnat as XnatPart
from tests.integration.fake_pacs import FakePacs, Study
from tests.integration.fake_site import Answer, FakeSite
from tests.integration.test_pacs import plant, store
from trust_node.checking import check as checking
from trust_node.checking.faults import FAULTS, Fault, advice
from trust_node.checking.findings import Exit
from trust_node.commands import app
from trust_node.imaging.conversion import Dcm2niix
from trust_node.imaging.pacs import Trouble

pytestmark = pytest.mark.integration

STEPS = [
    "disk",
    "echo",
    "find",
    "bring",
    "de-identify",
    "dcm2niix",
    "convert",
    "xnat",
    "archive",
    "read back",
    "tidy up",
]
Told = dict[str, dict[str, Any]]


class Trust:
    """The variables of a node, as a file, and its check."""

    def __init__(self, folder: Path, xnat: XnatPart) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.variables: dict[str, object] = {
            "KAFKA_BOOTSTRAP": "127.0.0.1:1", "KAFKA_PASSWORD_FILE": self.file("kafka", "x"),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "HTTP_PORT": 1, "TRUST_ID": "amber",
            "TRUST_KEY_FILE": self.file("key", "k" * 32), "SIGNING_KEY_FILE": folder / "signing.pem",
            "POLICY_FILE": self.file("policy.toml", 'approvers = ["amber-approver"]'), "DATA_DIRECTORY": self.data,
            "WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:1/none", "PACS_HOST": "127.0.0.1", "PACS_PORT": 1,
            "PACS_TITLE": "PACS", "RECEIVER_PORT": free_port(), "RECEIVER_TITLE": "TRUSTFLOW", "XNAT_URL": xnat.url,
            "XNAT_USER": ADMIN, "XNAT_PASSWORD_FILE": self.file("xnat", xnat.password),
        }  # fmt: skip

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content)
        return path

    def knows(self, pacs: FakePacs | Orthanc) -> "Trust":
        port = pacs.port if isinstance(pacs, FakePacs) else pacs.dicom_port
        return self.sets(PACS_PORT=port, PACS_TITLE=pacs.title)

    def sets(self, **variables: object) -> "Trust":
        self.variables |= variables
        return self

    def check(self, *words: str) -> tuple[int, Told, str]:
        lines = [f"TRUSTFLOW_{name}={value}" for name, value in self.variables.items()]
        env = self.file("node.env", "\n".join(lines))
        ended = CliRunner().invoke(app, ["--env", str(env), "check", "--json", *words])
        findings = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        return ended.exit_code, {finding["step"]: finding for finding in findings}, ended.output


@pytest.fixture
def trust(tmp_path: Path, xnat: XnatPart) -> Trust:
    return Trust(tmp_path, xnat)


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder, ports = tmp_path_factory.mktemp("orthanc-check"), (free_port(), free_port(), free_port())
    with running(Orthanc(folder, *ports, password=secrets.token_hex(8), dicomweb=True)) as part:
        yield part


@pytest.fixture
def study() -> Study:
    return Study("ACC-1", images=3)


@pytest.fixture
def pacs(study: Study, trust: Trust) -> Iterator[FakePacs]:
    with FakePacs([study]).running() as started:
        started.destination = ("TRUSTFLOW", int(str(trust.variables["RECEIVER_PORT"])))
        trust.knows(started)
        yield started


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("way", ["move", "get", "web"])
def test_everything_passes_and_nothing_is_left(
    way: str, trust: Trust, orthanc: Orthanc, xnat: XnatPart, tmp_path: Path
) -> None:
    (tmp_path / "planted").mkdir()
    planted = store(orthanc, plant(tmp_path / "planted", f"CHECK-{way}", StudyDescription="Canaryson"))
    login = "Basic " + base64.b64encode(f"{USER}:{orthanc.password}".encode()).decode()
    trust.knows(orthanc).sets(
        PACS_WAY=way, PACS_WEB_URL=orthanc.dicomweb_url, RECEIVER_PORT=orthanc.receiver_port,
        PACS_WEB_AUTHORIZATION_FILE=trust.file("login", login),
    )  # fmt: skip
    before = left(xnat.directory / "archive" / "projects")

    code, told, output = trust.check("--accession", planted.accession)

    assert [finding["verdict"] for finding in told.values()] == ["passed"] * len(STEPS), output
    assert list(told) == STEPS
    assert (code, told["bring"]["told"]) == (Exit.PASSED, "3 of 3 images")
    assert left(trust.data) == []
    assert left(xnat.directory / "archive" / "projects") == before
    assert planted.study_uid not in output
    assert planted.accession not in output


def test_without_an_accession_the_steps_that_need_an_image_are_skipped(trust: Trust, orthanc: Orthanc) -> None:
    code, told, _ = trust.knows(orthanc).check()
    skipped = [step for step, finding in told.items() if finding["verdict"] == "skipped"]
    assert skipped == ["find", "bring", "de-identify", "convert", "archive", "read back"]
    assert "--accession" in told["find"]["told"]
    assert code == Exit.SKIPPED


def test_the_table_is_for_people(trust: Trust, xnat: XnatPart) -> None:
    trust.check()
    ended = CliRunner().invoke(app, ["--env", str(trust.folder / "node.env"), "check"], env={"COLUMNS": "200"})
    assert "This node cannot import yet" in ended.stdout
    assert advice(Trouble.PORT_CLOSED).remedy in " ".join(ended.stdout.split())
    assert ended.exit_code == Exit.FAILED


def test_a_vague_accession_is_wrong_usage(trust: Trust) -> None:
    code, told, _ = trust.check("--accession", "ACC*")
    assert (code, told) == (2, {})


def names(trust: Trust, step: str, fault: Fault | Trouble, *words: str) -> str:
    code, told, output = trust.check(*(words or ("--accession", "ACC-1")))
    assert told[step]["fault"] == fault.value, output
    assert (told[step]["cause"], told[step]["remedy"]) == (advice(fault).cause, advice(fault).remedy)
    assert code == Exit.FAILED
    assert "Traceback" not in output
    return str(told[step]["told"])


def test_a_host_that_no_name_server_knows(trust: Trust) -> None:
    names(trust.sets(PACS_HOST="no-such-host.invalid"), "echo", Trouble.HOST_UNKNOWN)


def test_a_closed_port(trust: Trust) -> None:
    names(trust.sets(PACS_PORT=free_port()), "echo", Trouble.PORT_CLOSED)


def test_a_port_that_speaks_no_dicom(trust: Trust, orthanc: Orthanc) -> None:
    names(trust.sets(PACS_PORT=orthanc.http_port), "echo", Trouble.NOT_DICOM)


def test_a_pacs_of_another_title(trust: Trust, orthanc: Orthanc) -> None:
    names(trust.knows(orthanc).sets(PACS_TITLE="ELSEWHERE"), "echo", Trouble.THEIR_TITLE_WRONG)


def test_our_title_not_registered(trust: Trust, study: Study) -> None:
    with FakePacs([study], known_titles=("OTHER",)).running() as pacs:
        names(trust.knows(pacs), "echo", Trouble.OUR_TITLE_UNKNOWN)


def test_our_receiver_not_registered_at_a_real_pacs(trust: Trust, orthanc: Orthanc, tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    store(orthanc, plant(tmp_path / "planted", "ACC-1"))
    trust.knows(orthanc).sets(RECEIVER_TITLE="NOBODY")
    code, told, _ = trust.check("--accession", "ACC-1")
    assert (code, told["bring"]["verdict"]) == (Exit.FAILED, "failed")
    assert told["bring"]["fault"] in {Trouble.DESTINATION_UNKNOWN, Trouble.REFUSED}


def test_our_receiver_not_registered(trust: Trust, pacs: FakePacs) -> None:
    pacs.destination = None
    assert names(trust, "bring", Trouble.DESTINATION_UNKNOWN) == "status 0xA801"


def test_a_pacs_that_does_not_offer_get(trust: Trust, study: Study) -> None:
    with FakePacs([study], with_get=False).running() as pacs:
        names(trust.knows(pacs).sets(PACS_WAY="get"), "bring", Trouble.SERVICE_REFUSED)


def test_a_pacs_that_stands_still(trust: Trust, pacs: FakePacs) -> None:
    pacs.stalls_after = 1
    names(trust.sets(PACS_STALL_SECONDS=1), "bring", Trouble.STALLED)


def test_an_accession_that_the_pacs_does_not_hold(trust: Trust, pacs: FakePacs) -> None:
    names(trust, "find", Fault.NOT_IN_PACS, "--accession", "ACC-2")


def test_too_few_images(trust: Trust, pacs: FakePacs) -> None:
    pacs.sends = 2
    assert "2 of 3 images" in names(trust, "bring", Fault.INCOMPLETE)


def test_a_running_node_has_the_receivers_port(trust: Trust, pacs: FakePacs) -> None:
    with socket.create_server(("127.0.0.1", int(str(trust.variables["RECEIVER_PORT"])))):
        names(trust, "bring", Fault.PORT_TAKEN)


def test_a_receiver_that_is_not_this_machine(trust: Trust, pacs: FakePacs) -> None:
    names(trust.sets(RECEIVER_HOST="203.0.113.1"), "bring", Fault.NOT_OUR_ADDRESS)


def test_a_pacs_that_waits_for_each_acknowledgement_is_told_without_failing(
    trust: Trust, pacs: FakePacs, study: Study
) -> None:
    study.images, pacs.image_pause_s = 15, 0.036
    _, told, output = trust.check("--accession", "ACC-1")
    assert (told["bring"]["verdict"], told["bring"]["fault"]) == ("passed", Fault.NAGLE), output


def test_an_image_that_a_rule_holds(trust: Trust, orthanc: Orthanc, tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    store(orthanc, plant(tmp_path / "planted", "HELD", BurnedInAnnotation="YES"))
    trust.knows(orthanc).sets(PACS_WAY="get")
    assert names(trust, "de-identify", Fault.HELD, "--accession", "HELD") == "burned_in_annotation"


def test_a_wrong_xnat_password(trust: Trust) -> None:
    names(trust.sets(XNAT_PASSWORD_FILE=trust.file("wrong", "wrong")), "xnat", Fault.XNAT_LOGIN)


def test_an_xnat_that_is_not_there(trust: Trust) -> None:
    names(trust.sets(XNAT_URL=f"http://127.0.0.1:{free_port()}"), "xnat", Fault.XNAT_UNREACHABLE)


def test_an_address_that_is_no_xnat(trust: Trust) -> None:
    with FakeSite(lambda request: Answer(404)).running() as site:
        names(trust.sets(XNAT_URL=site.url), "xnat", Fault.XNAT_REFUSED)


def test_a_data_folder_that_cannot_be_written(trust: Trust) -> None:
    names(trust.sets(DATA_DIRECTORY=trust.file("a-file", "") / "data"), "disk", Fault.NOT_WRITABLE)


def test_a_disk_that_is_nearly_full(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_node.checking.measuring.ROOM_BYTES", 2**60)
    assert "MiB free" in names(trust, "disk", Fault.DISK_FULL)


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (None, Fault.CONVERTER_MISSING),
        ("echo Chris Rorden dcm2niiX version v1.0.20201102; exit 3", Fault.CONVERTER_OLD),
        ("echo something else", Fault.CONVERTER_OLD),
    ],
)
def test_a_converter_that_is_missing_or_old(
    script: str | None, fault: Fault, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = trust.folder / "dcm2niix"
    if script:
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o700)
    monkeypatch.setattr(checking.Dcm2niix, "pinned", lambda: Dcm2niix(str(binary)))
    names(trust, "dcm2niix", fault)


def test_every_fault_has_its_advice() -> None:
    assert set(FAULTS) == set(Fault)
