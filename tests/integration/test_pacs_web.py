"""A DICOMweb server that misbehaves, and one behind TLS."""

import ssl
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.fake_pacs import image_of
from tests.integration.fake_site import Answer, FakeSite
from trust_node.imaging.pacs import Outcome, PacsError, StudyHit, Trouble
from trust_node.imaging.pacs import web as webbing
from trust_node.imaging.pacs.site import WebSite
from trust_node.imaging.pacs.web import ByWeb
from trust_node.imaging.spool import Spool

pytestmark = pytest.mark.integration

STUDY = "1.2.826.0.1.3680043.8.498.7"
RELATED = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=cut'}
JSON = {"Content-Type": "application/dicom+json"}


def image(study_uid: str = STUDY, number: int = 1) -> bytes:
    buffer = BytesIO()
    image_of(study_uid, "ACC-1", number).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def multipart(*images: bytes, end: bytes = b"--cut--\r\n") -> bytes:
    return b"".join(b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + each + b"\r\n" for each in images) + end


def client(site: FakeSite, tmp_path: Path, stall_s: float = 5, **more: Any) -> ByWeb:
    return ByWeb(WebSite(site.url, timeout_s=5, **more), Spool(tmp_path / "spool"), stall_s)


async def retrieved(tmp_path: Path, answer: Answer, stall_s: float = 5) -> tuple[Outcome, int]:
    with FakeSite(lambda _: answer).running() as site:
        way = client(site, tmp_path, stall_s)
        outcome = await way.retrieve(StudyHit(STUDY, 2))
    return outcome, way.spool.count(STUDY)


async def refusal(tmp_path: Path, answer: Answer, stall_s: float = 5) -> Trouble:
    with pytest.raises(PacsError) as refused:
        await retrieved(tmp_path, answer, stall_s)
    assert list((tmp_path / "spool").rglob("*.part")) == []
    return refused.value.trouble


async def test_a_study_comes_in_pieces(tmp_path: Path) -> None:
    body = multipart(image(number=1), image(number=2))
    pieces = [body[at : at + 777] for at in range(0, len(body), 777)]
    outcome, count = await retrieved(tmp_path, Answer(200, pieces, RELATED))
    assert (outcome, count) == (Outcome(2, 0, 0, 0), 2)


async def test_fewer_images_than_counted_show_in_the_outcome(tmp_path: Path) -> None:
    outcome, count = await retrieved(tmp_path, Answer(200, [multipart(image())], RELATED))
    assert (outcome, count) == (Outcome(1, 1, 0, 0xB000), 1)


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (lambda: multipart(image(), end=b""), Trouble.CUT_OFF),
        (lambda: multipart(image())[:2000], Trouble.CUT_OFF),
        (lambda: b"", Trouble.CUT_OFF),
        (lambda: multipart(b"no image at all"), Trouble.UNREADABLE),
        (lambda: multipart(image(study_uid="1.2.3")), Trouble.WRONG_STUDY),
        (lambda: b"--cut\r\n" + b"X: y\r\n" * 10_000, Trouble.UNREADABLE),
    ],
)
async def test_a_broken_answer_is_refused(body: Callable[[], bytes], trouble: Trouble, tmp_path: Path) -> None:
    assert await refusal(tmp_path, Answer(200, [body()], RELATED)) is trouble


async def test_an_image_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_node.imaging.pacs.arriving.INSTANCE_BYTES", 1_000_000)

    def endless() -> Iterable[bytes]:
        yield multipart(image(), end=b"")[:-2]
        while True:
            yield bytes(100_000)

    assert await refusal(tmp_path, Answer(200, endless(), RELATED)) is Trouble.TOO_MUCH


async def test_a_server_that_stands_still_is_left(tmp_path: Path) -> None:
    began = monotonic()
    standing = Answer(200, [multipart(image(), end=b"")], RELATED, stalls=True)
    assert await refusal(tmp_path, standing, stall_s=0.5) is Trouble.STALLED
    assert monotonic() - began < 3


async def test_a_query_that_trickles_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbing, "LONGEST_QUERY_S", 0.5)

    def trickling() -> Iterable[bytes]:
        while True:
            yield b"["
            sleep(0.05)

    with FakeSite(lambda _: Answer(200, trickling(), JSON)).running() as site, pytest.raises(PacsError) as refused:
        await client(site, tmp_path).find_studies("ACC-1")
    assert refused.value.trouble in {Trouble.CUT_OFF, Trouble.NOT_DICOMWEB}


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.LOGIN_REFUSED), (403, Trouble.NOT_ALLOWED), (404, Trouble.NOT_DICOMWEB),
        (406, Trouble.SERVICE_REFUSED), (429, Trouble.BUSY), (500, Trouble.REFUSED), (503, Trouble.BUSY),
        (302, Trouble.REFUSED), (599, Trouble.REFUSED),
    ],
)  # fmt: skip
async def test_a_status_has_its_name(status: int, trouble: Trouble, tmp_path: Path) -> None:
    assert await refusal(tmp_path, Answer(status, [b"<html>Canaryson</html>"])) is trouble


async def test_a_redirection_is_not_followed(tmp_path: Path) -> None:
    with FakeSite(lambda _: Answer(200, [b"[]"], JSON)).running() as elsewhere:
        assert await refusal(tmp_path, Answer(307, (), {"Location": elsewhere.url})) is Trouble.REFUSED
        assert elsewhere.asked == []


async def test_a_page_in_place_of_images_is_refused(tmp_path: Path) -> None:
    assert await refusal(tmp_path, Answer(200, [b"<html>"], {"Content-Type": "text/html"})) is Trouble.NOT_DICOMWEB


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[1]", b"[" * 100_000, b"\xff\xfe"])
async def test_what_is_no_list_of_studies_is_refused(body: bytes, tmp_path: Path) -> None:
    with FakeSite(lambda _: Answer(200, [body], JSON)).running() as site, pytest.raises(PacsError) as refused:
        await client(site, tmp_path).find_studies("ACC-1")
    assert refused.value.trouble is Trouble.NOT_DICOMWEB


async def test_a_list_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbing, "ANSWER_BYTES", 1000)
    endless = Answer(200, [b"[" + b" " * 5000], JSON)
    with FakeSite(lambda _: endless).running() as site, pytest.raises(PacsError) as refused:
        await client(site, tmp_path).find_studies("ACC-1")
    assert refused.value.trouble is Trouble.TOO_MUCH


@pytest.mark.parametrize(
    "row",
    [
        b'{"00080050": {"Value": ["ACC-1"]}, "0020000D": {"Value": ["../../x"]}}',
        b'{"00080050": {"Value": ["ACC-1"]}, "0020000D": {"Value": []}}',
        b'{"00080050": {"Value": ["ACC-1"]}}',
    ],
)
async def test_a_study_without_a_uid_goes_no_further(row: bytes, tmp_path: Path) -> None:
    with (
        FakeSite(lambda _: Answer(200, [b"[", row, b"]"], JSON)).running() as site,
        pytest.raises(PacsError) as refused,
    ):
        await client(site, tmp_path).find_studies("ACC-1")
    assert refused.value.trouble is Trouble.UNREADABLE


async def test_only_the_exact_accession_counts_and_series_are_counted_where_the_study_is_not(tmp_path: Path) -> None:
    studies = b'[{"00080050": {"Value": ["%s"]}, "0020000D": {"Value": ["1.2"]}}]'
    series = b'[{"00201209": {"Value": [3]}}, {"00201209": {"Value": ["4"]}}]'

    def answer(path: str) -> Answer:
        return Answer(200, [series if "/series" in path else studies % b"ACC-1"], JSON)

    with FakeSite(answer).running() as site:
        way = client(site, tmp_path)
        assert [(hit.study_uid, hit.instances) for hit in await way.find_studies("ACC-1")] == [("1.2", 7)]
        assert await way.find_studies("acc-1") == []


async def test_nothing_found_may_be_no_content(tmp_path: Path) -> None:
    with FakeSite(lambda _: Answer(204)).running() as site:
        assert await client(site, tmp_path).find_studies("ACC-1") == []


async def test_the_login_is_sent(tmp_path: Path) -> None:
    with FakeSite(lambda _: Answer(200, [b"[]"], JSON)).running() as site:
        await client(site, tmp_path, authorization="Bearer token-1").echo()
        assert site.asked[0][1]["Authorization"] == "Bearer token-1"
        assert "token-1" not in repr(client(site, tmp_path, authorization="Bearer token-1"))


async def test_a_certificate_is_checked(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own_certificate(tmp_path))
    with FakeSite(lambda _: Answer(200, [b"[]"], JSON), tls).running() as site:
        with pytest.raises(PacsError) as refused:
            await client(site, tmp_path).echo()
        assert refused.value.trouble is Trouble.CERTIFICATE
        await client(site, tmp_path, ca_file=tmp_path / "localhost.pem").echo()


@pytest.mark.parametrize("url", ["", "ftp://pacs", "pacs/dicom-web", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="TRUSTFLOW_PACS_WEB_URL"):
        WebSite(url)


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(PacsError) as refused:
        await ByWeb(WebSite("http://127.0.0.1:1"), Spool(tmp_path)).echo()
    assert refused.value.trouble is Trouble.PORT_CLOSED


def own_certificate(folder: Path) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "localhost.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
