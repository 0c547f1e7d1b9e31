"""Who is asking: Basic credentials, a JSESSIONID cookie, or nobody (401 with a page, as XNAT answers)."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.xnat import bodies
from infra.xnat.refusal import Refusal
from infra.xnat.users import unknown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from infra.xnat.users import Accounts, User

_PATIENCE = 64 << 20  # bytes of a refused body that are read, so that its sender hears the refusal
_OPEN = {"/", "/health", "/data/services/auth", "/web/login", "/web/static/style.css", "/favicon.ico"}


def refused(refusal: Refusal) -> Response:
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        page = f"<html><body><h3>{escape(refusal.sentence)}</h3></body></html>"
        return HTMLResponse(page, refusal.status, {"WWW-Authenticate": 'Basic realm="XNAT"'})
    return PlainTextResponse(refusal.sentence, refusal.status, {"X-Content-Type-Options": "nosniff"})


class Login:
    """Names the user of each request, and serves the routes by which one logs in and out."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def admitting(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application: it sees `state.user` set; only the entrance is open to nobody."""

        async def admit(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = Request(scope)
            body = _Body(receive, int(request.headers.get("content-length", "0")))
            try:
                request.state.user, request.state.session = self._who(request)
            except Refusal as refusal:
                turned_away = RedirectResponse("/") if request.url.path.startswith("/web/") else refused(refusal)
                await turned_away(scope, body.receive, _answering(body, "", send))
                return
            fresh = request.state.session != request.cookies.get("JSESSIONID")
            await app(scope, body.receive, _answering(body, request.state.session if fresh else "", send))

        return admit

    def _who(self, request: Request) -> tuple[User | None, str]:
        session = request.cookies.get("JSESSIONID", "")
        if user := self._accounts.resume(session):
            return user, session
        header = request.headers.get("authorization", "")
        if header.startswith("Basic "):
            user = self._accounts.check_basic(header)
            return user, self._accounts.open_session(user)
        if request.url.path in _OPEN:
            return None, ""
        raise unknown()

    def routes(self) -> list[Route]:
        return [
            Route("/data/services/auth", self._log_in, methods=["PUT", "POST"]),
            Route("/data/JSESSION", self._session, methods=["GET", "POST", "DELETE"]),
            Route("/data/auth", self._who_am_i),
            Route("/xapi/users/username", self._user_name),
        ]

    async def _log_in(self, request: Request) -> Response:
        given = await bodies.form(request)
        user = self._accounts.check(given.get("username", ""), given.get("password", ""))
        session = self._accounts.open_session(user)
        return PlainTextResponse(session, headers={"Set-Cookie": cookie(session)})

    async def _session(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._accounts.close_session(request.state.session)
            return Response()
        return PlainTextResponse(request.state.session)

    async def _who_am_i(self, request: Request) -> Response:
        return PlainTextResponse(f"User '{request.state.user.login}' is logged in")

    async def _user_name(self, request: Request) -> Response:
        return PlainTextResponse(request.state.user.login)


class _Body:
    """A request's body on its way to whoever reads it; knows whether it has come to its end."""

    def __init__(self, receive: Receive, announced: int) -> None:
        self._receive = receive
        self._ended = announced > _PATIENCE

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = self._ended or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read what is left, unless it is so much that its sender had better be cut off."""
        left = _PATIENCE
        while not self._ended and left > 0:
            left -= len((await self.receive()).get("body", b""))


def _answering(body: _Body, session: str, send: Send) -> Send:
    """Hand a session that this request opened to the client, and read to the end what is refused."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            # A client that is still sending would lose a refusal to the reset of its connection.
            if message["status"] >= HTTPStatus.BAD_REQUEST:
                await body.drain()
            fresh = [(b"set-cookie", cookie(session).encode())] if session else []
            message["headers"] = [*message.get("headers", []), *fresh]
        await send(message)

    return answer


def cookie(session: str) -> str:
    return f"JSESSIONID={session}; Path=/; HttpOnly; SameSite=lax"
