"""nginx as the object lane of one machine: signed PUT, GET and DELETE of plain files, written once.

A URL is `/<path>?md5=<signature>&expires=<unix seconds>` with signature = base64url without padding of
md5("<expires><METHOD><path> <secret>"). Answers: 403 wrong signature, 410 expired, 409 the object is already there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from infra.parts.http import answers_ok
from infra.parts.part import START_TIMEOUT_S, wait_until

# One process, not a master and its worker: a worker would outlive a killed master and keep the port from the next.
_CONFIGURATION = """\
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 100000;
  server_tokens off;
  default_type application/octet-stream;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  client_body_temp_path {directory}/temp;
  proxy_temp_path {directory}/unused/proxy;
  fastcgi_temp_path {directory}/unused/fastcgi;
  uwsgi_temp_path {directory}/unused/uwsgi;
  scgi_temp_path {directory}/unused/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {directory}/objects;
    location = /health {{ return 200 "ok\\n"; }}
    location / {{
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$request_method$uri {secret}";
      if ($secure_link = "") {{ return 403; }}
      if ($secure_link = "0") {{ return 410; }}
      set $overwrites "";
      if (-f $request_filename) {{ set $overwrites $request_method; }}
      if ($overwrites = PUT) {{ return 409; }}
      dav_methods PUT DELETE;
      create_full_put_path on;
      dav_access user:rw;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    directory: Path
    port: int
    secret: str = field(repr=False)
    name: str = "nginx"
    stop_signal: Signals = Signals.SIGTERM

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def objects(self) -> Path:
        return self.directory / "objects"

    @property
    def command(self) -> list[str]:
        return ["/usr/sbin/nginx", "-e", "stderr", "-p", str(self.directory), "-c", str(self._configuration)]

    @property
    def env(self) -> Mapping[str, str]:
        return {}

    def prepare(self) -> None:
        (self.directory / "unused").mkdir(parents=True, exist_ok=True)
        self.objects.mkdir(exist_ok=True)
        self._configuration.touch(0o600)
        self._configuration.write_text(
            _CONFIGURATION.format(
                directory=self.directory,
                port=self.port,
                secret=self.secret,
            )
        )

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        wait_until(lambda: answers_ok(self.port), self, timeout_s)

    @property
    def _configuration(self) -> Path:
        return self.directory / "nginx.conf"
