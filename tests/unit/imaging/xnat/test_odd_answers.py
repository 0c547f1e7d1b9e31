"""What real XNATs answer besides what one would expect, and what the client makes of it."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from tests.unit.imaging.xnat.odd import rows, xnat_that
from trust_node.imaging.xnat import PrearchivedError, XnatRefusedError, XnatUnreachableError

SESSION = "0123456789ABCDEF0123456789ABCDEF"


async def test_a_login_page_behind_a_redirect_and_200_is_an_expired_session_too() -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/data/services/auth":
            return web.Response(text=SESSION)
        if request.path.endswith("Login.vm"):
            return web.Response(text="<html>log in</html>", content_type="text/html")
        if request.cookies.get("JSESSIONID") != SESSION:
            raise web.HTTPFound("/app/template/Login.vm")
        return rows({"label": "S1"})

    async with xnat_that(answers) as client:
        assert await client.list_sessions("p") == ["S1"]


async def test_requests_that_meet_an_expired_session_together_log_in_once() -> None:
    log_ins, waiting = 0, asyncio.Barrier(5)

    async def answers(request: web.Request) -> web.StreamResponse:
        nonlocal log_ins
        if request.path == "/data/services/auth":
            log_ins += 1
            return web.Response(text=SESSION)
        if request.cookies.get("JSESSIONID") != SESSION:
            await waiting.wait()
            return web.Response(status=401, text="<html>")
        return rows()

    async with xnat_that(answers) as client:
        await asyncio.gather(*(client.list_sessions("p") for _ in range(5)))
    assert log_ins == 1


async def test_an_account_that_is_locked_is_told_from_one_that_may_enter() -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/data/services/auth":
            return web.Response(text="<html>your account is locked</html>", content_type="text/html")
        return web.Response(status=401)

    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError, match="locked or expired"):
            await client.list_sessions("p")


async def test_a_csrf_token_is_fetched_when_the_site_asks_for_it_and_sent_from_then_on() -> None:
    asked: list[tuple[str, str | None]] = []

    async def answers(request: web.Request) -> web.StreamResponse:
        asked.append((request.method + " " + request.path, request.query.get("XNAT_CSRF")))
        if request.path == "/":
            return web.Response(text="<script>var csrfToken = 'ab12-cd34-ef56';</script>", content_type="text/html")
        if request.query.get("XNAT_CSRF") != "ab12-cd34-ef56":
            return web.Response(status=403, text="INVALID CSRF (Cross Site Request Forgery)")
        return web.Response()

    async with xnat_that(answers) as client:
        await client.put_file("/data/f1", b"x")
        await client.put_file("/data/f2", b"x")
    assert asked == [
        ("PUT /data/f1", None),
        ("GET /", None),
        ("PUT /data/f1", "ab12-cd34-ef56"),
        ("PUT /data/f2", "ab12-cd34-ef56"),
    ]


async def test_a_plain_403_is_no_matter_of_tokens() -> None:
    asked = 0

    async def answers(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=403, text="the user cannot edit this project")

    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError) as refused:
            await client.put_file("/data/f", b"x")
    assert (refused.value.status, asked) == (403, 1)


async def test_a_site_that_wants_a_token_and_offers_none_is_refused_with_the_remedy() -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>") if request.path == "/" else web.Response(status=403, text="CSRF")

    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError, match="switch that check off"):
            await client.put_file("/data/f", b"x")


@pytest.mark.parametrize("body", ["<html>maintenance</html>", "[]", '{"ResultSet": 3}', ""])
async def test_a_list_that_is_none_is_a_refusal_and_no_crash(body: str) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body)

    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError):
            await client.list_sessions("p")


@pytest.mark.parametrize(("key", "state"), [("name", "CONFLICT"), ("folderName", "ERROR")])
async def test_an_import_that_ended_in_the_prearchive_says_in_what_state(key: str, state: str, tmp_path: Path) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/data/prearchive/projects/p":
            return rows({"name": "other", "status": "READY"}, {key: "S1", "status": state})
        await request.read()
        return web.Response(text="/data/prearchive/projects/p/20261121_1/S1\r\n")

    (tmp_path / "a.zip").write_bytes(b"PK")
    async with xnat_that(answers) as client:
        with pytest.raises(PrearchivedError, match=state) as refused:
            await client.import_session("p", "P1", "S1", tmp_path / "a.zip")
    assert (refused.value.status, refused.value.state) == (200, state)


@pytest.mark.parametrize("lying", [True, False])
async def test_a_conflict_is_looked_for_in_the_prearchive_too(lying: bool, tmp_path: Path) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/data/prearchive/projects/p":
            return rows(*[{"name": "S1", "status": "CONFLICT"}] * lying)
        await request.read()
        return web.Response(status=409)

    (tmp_path / "a.zip").write_bytes(b"PK")
    async with xnat_that(answers) as client:
        with pytest.raises(XnatRefusedError) as refused:
            await client.import_session("p", "P1", "S1", tmp_path / "a.zip")
    assert (refused.value.status, isinstance(refused.value, PrearchivedError)) == (409, lying)


async def test_a_download_is_tried_again_after_it_broke_off(tmp_path: Path) -> None:
    attempts = 0

    async def answers(request: web.Request) -> web.StreamResponse:
        nonlocal attempts
        attempts += 1
        response = web.StreamResponse(headers={"Content-Length": "5"})
        await response.prepare(request)
        await response.write(b"who" if attempts == 1 else b"whole")
        if attempts == 1:
            assert request.transport is not None
            request.transport.close()
        return response

    async with xnat_that(answers) as client:
        await client.download("/data/file", tmp_path / "input.nii.gz")
    assert (tmp_path / "input.nii.gz").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["input.nii.gz"]


async def test_what_is_gone_already_is_deleted_again_without_an_error() -> None:
    deleted: list[str] = []

    async def answers(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            deleted.append(request.path_qs)
        return web.Response(status=404)

    async with xnat_that(answers) as client:
        await client.delete_session("p", "S1")
        await client.delete_project("p")
    assert deleted == ["/data/projects/p/experiments/S1?removeFiles=true", "/data/projects/p?removeFiles=true"]


async def test_leaving_does_not_wait_for_a_server_that_is_gone() -> None:
    gone = False

    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/data/services/auth":
            return web.Response(text=SESSION)
        if gone and request.transport is not None:
            request.transport.close()
        return rows() if request.cookies.get("JSESSIONID") else web.Response(status=401)

    async with xnat_that(answers) as client:
        await client.list_sessions("p")
        gone = True
        with pytest.raises(XnatUnreachableError):
            await client.list_sessions("p")
