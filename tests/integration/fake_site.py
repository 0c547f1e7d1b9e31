"""A web server that answers as a test tells it: any status, any bytes, cut off or standing still."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext


@dataclass(frozen=True)
class Answer:
    """`stalls`: says no more after the body, and does not hang up before the server ends."""

    status: int = 200
    body: Iterable[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    stalls: bool = False


@dataclass
class FakeSite:
    """`answer` is given each request's path, and what was asked is kept in `asked` with its headers."""

    answer: Callable[[str], Answer]
    tls: SSLContext | None = None
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["FakeSite"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        if self.tls:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True)
        self.url = f"{'https' if self.tls else 'http'}://localhost:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        serving.start()
        try:
            yield self
        finally:
            self.ended.set()
            server.shutdown()
            server.server_close()
            serving.join()

    def _handler(site) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the class inside has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                answer = site.answer(self.path)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):
                    for piece in answer.body:
                        self.wfile.write(piece)
                    if answer.stalls:
                        self.wfile.flush()
                        site.ended.wait(60)

            do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815  names that the base class looks for

            def log_message(self, *args: object) -> None:
                pass

        return Handler
