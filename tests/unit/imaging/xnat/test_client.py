"""What the client does when XNAT misbehaves; the good path is shown on the archive itself."""

from pathlib import Path

import pytest
from aiohttp import web

from tests.unit.imaging.xnat.odd import rows, xnat_that
from trust_node.imaging.xnat import Xnat, XnatRefusedError, XnatUnreachableError


async def test_an_expired_session_is_opened_again_once_and_the_request_repeated() -> None:
    seen: list[str] = []

    async def answers(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path}")
        if request.path == "/data/services/auth":
            assert (await request.post())["password"] == "pw"
            return web.Response(text="ABCDEF")
        logged_in = request.cookies.get("JSESSIONID") == "ABCDEF"
        return rows({"label": "S1"}) if logged_in else web.Response(status=401, text="<html>login</html>")

    async with xnat_that(answers) as client:
        assert await client.list_sessions("p") == ["S1"]
        assert await client.list_sessions("p") == ["S1"]
    listing = "GET /data/projects/p/experiments"
    assert seen == [listing, "PUT /data/services/auth", listing, listing, "DELETE /data/JSESSION"]


async def test_a_wrong_password_is_a_refusal_and_no_endless_log_in() -> None:
    asked = 0

    async def answers(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=401)

    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError, match="log-in") as refused:
            await client.list_sessions("p")
    assert (refused.value.status, asked) == (401, 2)


async def test_a_server_error_is_tried_again_and_the_body_sent_whole_each_time(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    async def answers(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=503 if len(bodies) < 3 else 200)

    image = tmp_path / "image.nii.gz"
    image.write_bytes(b"voxels")
    async with xnat_that(answers) as client:
        await client.put_file("/data/x/files/image.nii.gz", image)
    assert bodies == [b"voxels"] * 3


async def test_attempts_are_bounded() -> None:
    asked = 0

    async def answers(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=500, text="stack trace naming a patient")

    async with xnat_that(answers) as client:
        with pytest.raises(XnatUnreachableError) as gone:
            await client.list_scans("p", "s")
    assert asked == client.attempts
    assert "patient" not in str(gone.value)


async def test_an_archive_that_does_not_listen_is_unreachable() -> None:
    async with Xnat("http://127.0.0.1:1", "node", "pw", attempts=2, backoff_s=0.001) as client:
        with pytest.raises(XnatUnreachableError):
            await client.list_sessions("p")


@pytest.mark.parametrize(
    "body",
    ["Session already exists, conflict", "/data/prearchive/projects/p/20261121/S1\r\n", "<html>Error 409</html>", ""],
)
async def test_an_import_that_answers_200_without_a_session_is_refused(body: str, tmp_path: Path) -> None:
    async def answers(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text=body)

    (tmp_path / "a.zip").write_bytes(b"PK")
    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError, match="prearchive"):
            await client.import_session("p", "P1", "S1", tmp_path / "a.zip")


async def test_an_import_returns_the_session_it_went_to(tmp_path: Path) -> None:
    async def answers(request: web.Request) -> web.Response:
        assert await request.read() == b"PK"
        assert request.query["import-handler"] == "DICOM-zip"
        return web.Response(text="/data/archive/projects/p/subjects/P1/experiments/S1\r\n")

    (tmp_path / "a.zip").write_bytes(b"PK")
    async with xnat_that(answers) as client:
        session = await client.import_session("p", "P1", "S1", tmp_path / "a.zip")
    assert session == "/data/archive/projects/p/subjects/P1/experiments/S1"


async def test_a_project_is_made_once_and_found_by_the_hubs_id() -> None:
    projects: list[dict[str, str]] = [{"ID": "other", "secondary_ID": "hub-0"}]

    async def answers(request: web.Request) -> web.Response:
        if request.method == "GET":
            return rows(*projects)
        name = request.query["xnat:projectData/name"]
        new = request.path.rsplit("/", 1)[-1]
        projects.append({"ID": new, "secondary_ID": request.query["xnat:projectData/secondary_ID"], "name": name})
        return web.Response(status=201, text=new)

    async with xnat_that(answers) as client:
        first = await client.ensure_project("hub-1", "Brains")
        assert await client.ensure_project("hub-1", "Brains") == first
    assert [project.get("name") for project in projects] == [None, "Brains:hub-1-FL-Project"]
    assert first == projects[1]["ID"]


async def test_files_are_told_apart_by_scan_and_resource() -> None:
    async def answers(request: web.Request) -> web.Response:
        if request.path.startswith("/data/projects/none"):
            return web.Response(status=404)
        uri = "/data/experiments/E1/scans/{}/resources/1/files/{}"
        return rows(
            {"collection": "DICOM", "Name": "a.dcm", "Size": "10", "URI": uri.format(4, "a.dcm")},
            {"collection": "NIFTI", "Name": "b.nii.gz", "Size": "20", "URI": uri.format(5, "b.nii.gz")},
        )

    async with xnat_that(answers) as client:
        files = await client.list_files("p", "S1")
        assert [(file.scan, file.resource, file.size) for file in files] == [("4", "DICOM", 10), ("5", "NIFTI", 20)]
        assert await client.session_counts("p", "S1") == {"DICOM": 1, "NIFTI": 1}
        assert await client.session_counts("none", "S1") == {}


async def test_a_download_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async with xnat_that(answers) as client:
        with pytest.raises(XnatUnreachableError):
            await client.download("/data/file", tmp_path / "file")
    assert not (tmp_path / "file").exists()
