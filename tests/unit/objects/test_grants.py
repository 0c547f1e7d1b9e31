import base64
import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from bus.objects import NginxObjects, ObjectStore, Retries, grant_download, grant_upload
from schemas.manifest import DownloadGrant, Part, UploadGrant, manifest_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STORE: ObjectStore = NginxObjects("http://hub:8080/objects/", "s3cret")


def test_an_address_signs_expiry_method_and_path():
    parts = urlsplit(STORE.sign("PUT", "runs/r1/00000", NOON))
    query = parse_qs(parts.query)
    signed = f"{int(NOON.timestamp())}PUT/objects/runs/r1/00000 s3cret".encode()
    digest = base64.urlsafe_b64encode(hashlib.md5(signed).digest()).rstrip(b"=").decode()
    assert parts.path == "/objects/runs/r1/00000"
    assert query == {"md5": [digest], "expires": [str(int(NOON.timestamp()))]}


def test_the_secret_is_not_in_the_address_nor_in_the_stores_repr():
    assert "s3cret" not in STORE.sign("GET", "runs/r1/00000", NOON)
    assert "s3cret" not in repr(STORE)


def test_an_upload_grant_has_one_address_for_each_possible_part():
    grant = grant_upload(STORE, "runs/r1", 21, NOON, part_size=10)
    assert [urlsplit(url).path[-5:] for url in grant.urls] == ["00000", "00001", "00002"]
    with pytest.raises(ValidationError, match="urls"):
        UploadGrant.model_validate({**dict(grant), "max_size": 31})


def test_a_download_grant_has_one_address_for_each_part():
    manifest = manifest_of("runs/r1", [Part(index=0, size=1, sha256="0" * 64)])
    grant = grant_download(STORE, manifest, NOON)
    assert len(grant.urls) == 1
    with pytest.raises(ValidationError, match="urls"):
        DownloadGrant.model_validate({**dict(grant), "urls": ()})


def test_grants_for_a_large_model_stay_small_enough_for_an_event():
    grant = grant_upload(STORE, "runs/0190c5f8/rounds/12/updates/st-marys", 795 * 10**6, NOON)
    assert len(grant.model_dump_json()) < 32_000


def test_pauses_double_and_are_bounded():
    assert list(Retries(attempts=4, first=1.0, jitter=lambda: 0.5).pauses()) == [1.0, 2.0, 4.0]
