"""One logged-in connection to an XNAT: what any request needs, whatever it asks for."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, BinaryIO, TypeVar

import aiohttp

from trust_node.imaging.xnat.errors import XnatRefusedError, XnatUnreachableError

T = TypeVar("T")
Body = Callable[[], bytes | BinaryIO]
Params = Mapping[str, str]
Read = Callable[[aiohttp.ClientResponse], Awaitable[T]]

PATIENCE_S = 120.0
GOODBYE = aiohttp.ClientTimeout(total=2)
ERROR_PAGE_BYTES = 4096
_SESSION = re.compile(r"[A-Za-z0-9._-]{1,128}")
_CSRF = re.compile(r"csrfToken\s*=\s*['\"]([A-Za-z0-9-]{8,64})['\"]")


class _ServerError(Exception):
    pass


@dataclass(slots=True)
class Wire:
    """Asks, and asks again: an expired session is opened anew, a CSRF token is fetched if the site wants one.

    5xx and broken connections are tried `attempts` times, waiting `backoff_s`, then twice that, and so on.
    """

    url: str
    user: str
    password: str = field(repr=False)
    attempts: int
    backoff_s: float
    _http: aiohttp.ClientSession = field(init=False, repr=False)
    _session: str | None = field(init=False, repr=False, default=None)
    _csrf: str | None = field(init=False, repr=False, default=None)
    _entering: asyncio.Lock = field(init=False, repr=False, default_factory=asyncio.Lock)

    def open(self) -> None:
        # XNAT may be named by its address, for which a strict jar keeps no cookies.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=PATIENCE_S)
        self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def close(self) -> None:
        """End the session at the server too: XNAT counts those that are open, and allows a user only so many."""
        if self._session is not None:
            with suppress(aiohttp.ClientError, TimeoutError):
                await self._http.delete(f"{self.url}/data/JSESSION", timeout=GOODBYE)
        await self._http.close()

    async def rows(self, path: str, params: Params | None = None) -> list[dict[str, str]]:
        """Return the rows of a list, every value as text."""
        answer = await self.document(path, {"format": "json", **(params or {})})
        try:
            return list(answer["ResultSet"]["Result"])
        except (KeyError, TypeError) as error:
            raise XnatRefusedError(HTTPStatus.OK, f"GET {path}: no list of rows in the answer") from error

    async def document(self, path: str, params: Params | None = None) -> Any:
        """Return what a GET answers as JSON."""
        text = await self.ask("GET", path, _text, params)
        try:
            return json.loads(text)
        except ValueError as error:
            raise XnatRefusedError(HTTPStatus.OK, f"GET {path}: the answer is no JSON") from error

    async def send(self, method: str, path: str, params: Params | None = None, content: Any = None) -> str:
        """Ask for a change, with `content` as a JSON body if there is any; return the answer's text."""
        if content is None:
            return await self.ask(method, path, _text, params)
        encoded = json.dumps(content).encode()
        return await self.ask(method, path, _text, params, lambda: encoded, kind="application/json")

    async def upload(self, method: str, path: str, params: Params, body: Body, patience_s: float = PATIENCE_S) -> str:
        """Send bytes; `patience_s` bounds how long XNAT may be silent while it works on them."""
        return await self.ask(method, path, _text, params, body, patience_s=patience_s)

    async def ask(
        self,
        method: str,
        path: str,
        read: Read[T],
        params: Params | None = None,
        body: Body | None = None,
        *,
        kind: str = "application/octet-stream",
        patience_s: float = PATIENCE_S,
    ) -> T:
        """Ask until there is an answer below 500, and hand it to `read`; `kind` is the body's content type."""
        request = _Request(method, path, params or {}, body, kind, patience_s)
        for attempt in range(self.attempts):
            try:
                return await self._admitted(request, read)
            except (_ServerError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
                failure = error
            if attempt + 1 < self.attempts:
                await asyncio.sleep(self.backoff_s * 2**attempt)
        raise XnatUnreachableError(f"{self.url}: no answer in {self.attempts} attempts") from failure

    async def _admitted(self, request: "_Request", read: Read[T]) -> T:
        """Ask at most three times: as it is, after logging in, and with the token that the site wants."""
        for last_chance in (False, False, True):
            session = self._session
            async with self._requested(request) as response:
                if last_chance or not (obstacle := await _obstacle(response)):
                    _check(response, f"{request.method} {request.path}")
                    return await read(response)
            await (self._log_in_again(session) if obstacle == "login" else self._fetch_token())
        raise AssertionError("the last answer is always returned or raised")

    def _requested(self, request: "_Request") -> Any:
        params = dict(request.params)
        if self._csrf and request.method != "GET":
            params["XNAT_CSRF"] = self._csrf
        return self._http.request(
            request.method,
            self.url + request.path,
            params=params,
            data=request.body() if request.body else None,
            headers={"Content-Type": request.kind} if request.body else None,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=request.patience_s),
        )

    async def _log_in_again(self, session: str | None) -> None:
        async with self._entering:
            if self._session == session:  # else another request has done it meanwhile
                await self._log_in()

    async def _log_in(self) -> None:
        form = {"username": self.user, "password": self.password}
        async with self._http.put(f"{self.url}/data/services/auth", data=form) as response:
            _check(response, "log-in of the trust node's XNAT account")
            session = (await response.text()).strip()
            if not _SESSION.fullmatch(session):
                what = "log-in of the trust node's XNAT account: a page instead of a session, is it locked or expired?"
                raise XnatRefusedError(response.status, what)
            self._http.cookie_jar.update_cookies({"JSESSIONID": session}, response.url.origin())
        self._session, self._csrf = session, None

    async def _fetch_token(self) -> None:
        async with self._http.get(f"{self.url}/") as response:
            found = _CSRF.search(await response.text())
        if found is None:
            what = "CSRF token: the site wants one and its front page has none, switch that check off for REST clients"
            raise XnatRefusedError(HTTPStatus.FORBIDDEN, what)
        self._csrf = found.group(1)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: Params
    body: Body | None
    kind: str
    patience_s: float


async def _obstacle(response: aiohttp.ClientResponse) -> str | None:
    """Return what stands in the way, `login` or `token`: a login page may come with 401, or as a redirect and 200."""
    if response.status == HTTPStatus.UNAUTHORIZED or response.url.path.endswith("/Login.vm"):
        return "login"
    if response.status == HTTPStatus.FORBIDDEN and b"csrf" in (await response.content.read(ERROR_PAGE_BYTES)).lower():
        return "token"
    return None


def _check(response: aiohttp.ClientResponse, what: str) -> None:
    # The body stays unread: an error page may quote what was sent.
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR and response.status != HTTPStatus.NOT_IMPLEMENTED:
        raise _ServerError(f"{what}: XNAT answers {response.status}")
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise XnatRefusedError(response.status, what)


async def _text(response: aiohttp.ClientResponse) -> str:
    return await response.text()
