"""Apache Kafka: one KRaft node, SCRAM-SHA-512 for everybody, nothing allowed without an ACL."""

import base64
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from bus.login import trusting
from infra.kafka.jars import JARS, ensure_jars
from infra.parts.part import START_TIMEOUT_S, wait_until
from infra.tls import Authority
from schemas.topics import ADMINISTRATOR

_LOG4J = Path(__file__).parent.parent / "kafka" / "log4j2.xml"
_API_VERSIONS = 18
_PROTOCOLS = "SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Kafka:
    """`principals` maps user names to passwords; `admin` must be among them and is the only super user.

    Those in `by_hand` may log in with PLAIN as well: the kcat of Debian 12 (librdkafka 2.0) repeats the client's
    nonce in SCRAM's last message, which brokers refuse since CVE-2024-56128 was closed.

    With an `authority` everybody comes by TLS.

    `detour` is a second door: the port behind it, and the port that clients who came by it are sent to (a proxy's).
    """

    directory: Path
    port: int
    controller_port: int
    principals: Mapping[str, str] = field(repr=False)
    by_hand: tuple[str, ...] = ()
    authority: Authority | None = None
    detour: tuple[int, int] | None = None
    name: str = "kafka"
    stop_signal: Signals = Signals.SIGTERM

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        return [*_java("-Xmx512m"), "kafka.Kafka", str(self._properties)]

    @property
    def env(self) -> Mapping[str, str]:
        return {}

    def prepare(self) -> None:
        ensure_jars()
        if self.authority:
            self.authority.ensure()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._properties.touch(0o600)
        self._properties.write_text(self._configuration())
        if not (self._data / "meta.properties").exists():
            self._format()

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        wait_until(lambda: _answers_api_versions(self.port, self.authority), self, timeout_s)

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [
            *_java("-Xmx128m"),
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster}",
            "-c",
            str(self._properties),
        ]
        for user, password in self.principals.items():
            tool += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password},iterations=4096]"]
        done = subprocess.run(tool, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted:\n{(done.stdout + done.stderr)[-2000:]}")

    def _detour(self, jaas: str) -> dict[str, str]:
        if self.detour is None:
            return {}
        port, told = self.detour
        return {
            "listeners": f"{self._listeners},DETOUR://127.0.0.1:{port}",
            "advertised.listeners": f"{self._protocol}://{self.bootstrap},DETOUR://127.0.0.1:{told}",
            "listener.security.protocol.map": f"{_PROTOCOLS},DETOUR:SASL_PLAINTEXT",
            "listener.name.detour.scram-sha-512.sasl.jaas.config": jaas,
            "listener.name.detour.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        }

    @property
    def _listeners(self) -> str:
        return f"{self._protocol}://{self.bootstrap},CONTROLLER://127.0.0.1:{self.controller_port}"

    @property
    def _protocol(self) -> str:
        return "SASL_SSL" if self.authority else "SASL_PLAINTEXT"

    def _certificates(self) -> dict[str, str]:
        if self.authority is None:
            return {}
        return {
            "listener.name.sasl_ssl.ssl.keystore.type": "PEM",
            "listener.name.sasl_ssl.ssl.keystore.location": str(self.authority.keystore_file),
            "listener.name.sasl_ssl.ssl.truststore.type": "PEM",
            "listener.name.sasl_ssl.ssl.truststore.location": str(self.authority.certificate_file),
            "ssl.enabled.protocols": "TLSv1.3",
        }

    def _plain_logins(self) -> str:
        users = "".join(f' user_{name}="{self.principals[name]}"' for name in self.by_hand)
        return f"org.apache.kafka.common.security.plain.PlainLoginModule required{users};"

    def _configuration(self) -> str:
        jaas = (
            "org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="{ADMINISTRATOR}" password="{self.principals[ADMINISTRATOR]}";'
        )
        door = f"listener.name.{self._protocol.lower()}"
        return "".join(f"{key}={value}\n" for key, value in {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": self._listeners,
            "advertised.listeners": f"{self._protocol}://{self.bootstrap}",
            "listener.security.protocol.map": _PROTOCOLS,
            "inter.broker.listener.name": self._protocol,
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            f"{door}.scram-sha-512.sasl.jaas.config": jaas,
            f"{door}.plain.sasl.jaas.config": self._plain_logins(),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # ANONYMOUS is the node talking to itself over the loopback controller listener.
            "super.users": f"User:{ADMINISTRATOR};User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "false",
            "auto.create.topics.enable": "false",
            "log.dirs": self._data,
            "log.retention.ms": "-1",
            # A segment is allocated lazily, but its index is not: 10 MB each by default.
            "log.index.size.max.bytes": "1048576",
            "message.max.bytes": "1048576",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "num.network.threads": "2",
            "num.io.threads": "4",
            **self._certificates(),
            **self._detour(jaas),
        }.items())  # fmt: skip


def _java(*options: str) -> list[str]:
    # One compiler and one collector thread: half the processor time of a start, on machines of two cores.
    frugal = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return ["java", *frugal, *options, f"-Dlog4j2.configurationFile={_LOG4J}", "-cp", f"{JARS}/*"]


def _answers_api_versions(port: int, authority: Authority | None) -> bool:
    """Ask for ApiVersions v0, the one request a broker answers before authentication (and only when it serves)."""
    request = struct.pack(">hhih", _API_VERSIONS, 0, 1, -1)
    with closing(_connected(port, authority)) as broker:
        broker.sendall(struct.pack(">i", len(request)) + request)
        return len(broker.recv(4)) > 0


def _connected(port: int, authority: Authority | None) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=1)
    if authority is None:
        return plain
    return trusting(authority.certificate_file).wrap_socket(plain, server_hostname="localhost")
