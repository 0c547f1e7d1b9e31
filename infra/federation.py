"""What a federation on one machine consists of: a hub, its trusts, and the parts both stand on. Starts nothing."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bus.login import Login
from infra.keyring import Keyring
from infra.parts.kafka import Kafka
from infra.parts.nginx import Nginx
from infra.parts.orthanc import Orthanc
from infra.parts.part import Part
from infra.parts.postgres import Postgres
from infra.parts.prometheus import Prometheus
from infra.parts.xnat import Xnat
from infra.ports import choose_ports, remembered_ports
from infra.tls import Authority
from schemas.topics import ADMINISTRATOR, OPERATOR, SERVICES, SPEAKERS, principals

ROOT = Path(__file__).parents[1]
RUN = ROOT / "build" / "run"
TRUST_NAMES = ("amber", "birch", "cedar", "dogwood", "elder", "fir", "ginkgo", "hazel", "ivy", "juniper")


@dataclass(frozen=True, slots=True)
class Federation:
    run: Path
    trusts: tuple[str, ...]
    ports: Mapping[str, int]
    tls: bool = False

    @property
    def keys(self) -> Keyring:
        return Keyring(self.run / "secrets")

    @property
    def kafka(self) -> Kafka:
        users = {name: self.keys.value(f"kafka-{name}") for name in (ADMINISTRATOR, *principals(self.trusts))}
        ports = self.ports["kafka"], self.ports["kafka-controller"]
        return Kafka(self.run / "kafka", *ports, users, by_hand=(*SPEAKERS, OPERATOR), authority=self.authority)

    @property
    def authority(self) -> Authority | None:
        """Who vouches for the broker, where TLS is on."""
        return Authority(self.run / "secrets", _certificates(self.run)) if self.tls else None

    @property
    def ca_file(self) -> Path | None:
        return self.authority.certificate_file if self.authority else None

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.run / "postgres", self.ports["postgres"], self.keys.value("postgres-postgres"))

    @property
    def nginx(self) -> Nginx:
        return Nginx(self.run / "nginx", self.ports["nginx"], self.keys.value("objects"))

    @property
    def targets_file(self) -> Path:
        """For any Prometheus of the site: where each of our processes tells how it is."""
        return self.run / "prometheus-targets.json"

    @property
    def prometheus(self) -> Prometheus | None:
        """Our own, where it was asked for."""
        port = self.ports.get("prometheus")
        return Prometheus(self.run / "prometheus", port, self.targets_file) if port else None

    def orthanc(self, trust: str) -> Orthanc:
        name = f"orthanc-{trust}"
        return Orthanc(
            self.run / name,
            self.ports[name],
            self.ports[f"{name}-dicom"],
            self.ports[f"receiver-{trust}"],
            self.keys.value(name),
            name=name,
        )

    def xnat(self, trust: str) -> Xnat:
        name = f"xnat-{trust}"
        return Xnat(self.run / name, self.ports[name], self.keys.value(name), name=name)

    def parts(self) -> Iterator[Part]:
        yield from (self.kafka, self.postgres, self.nginx)
        for trust in self.trusts:
            yield from (self.orthanc(trust), self.xnat(trust))
        if self.prometheus:
            yield self.prometheus

    def login(self, principal: str) -> Login:
        return Login(self.kafka.bootstrap, principal, self.keys.value(f"kafka-{principal}"), self.ca_file)

    def kafka_password_file(self, principal: str) -> Path:
        return self.keys.file(f"kafka-{principal}")

    @property
    def trust_keys(self) -> Path:
        """The folder of the trusts' public keys, as the hub has it."""
        return self.run / "trust-keys"

    def signing_key_file(self, trust: str) -> Path:
        """The trust's own key; in a real federation it never leaves the trust's machine."""
        return self.run / "secrets" / f"signing-key-{trust}.pem"

    def database_url(self, role: str, database: str | None = None) -> str:
        """Return the DSN of a role, by default for the database of its own name."""
        return self.postgres.dsn(database or role, role, self.keys.value(f"postgres-{role}"))


def trust_role(trust: str) -> str:
    """Return the trust's database, and the role that owns it."""
    return f"trust_{trust.replace('-', '_')}"


def warehouse_name(trust: str) -> str:
    return f"omop_{trust.replace('-', '_')}"


def warehouse_reader(trust: str) -> str:
    return f"{warehouse_name(trust)}_reader"


def describe(trusts: int, run: Path = RUN, *, tls: bool = False, watch: bool = False) -> Federation:
    """Describe a federation that is about to start, on ports that are free now."""
    if not 1 <= trusts <= len(TRUST_NAMES):
        raise ValueError(f"TRUSTS={trusts} is not possible: choose 1 to {len(TRUST_NAMES)}")
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    if tls:
        _certificates(run).mkdir(exist_ok=True)
    else:
        shutil.rmtree(_certificates(run), ignore_errors=True)
    names = TRUST_NAMES[:trusts]
    return Federation(run, names, choose_ports(_port_names(names, watch), run / "ports.json"), tls)


def remembered(run: Path = RUN) -> Federation | None:
    """Return the federation that was last started here, as it was."""
    ports = remembered_ports(run / "ports.json")
    if not ports:
        return None
    trusts = tuple(name for name in TRUST_NAMES if f"node-{name}" in ports)
    return Federation(run, trusts, ports, _certificates(run).exists())


def _certificates(run: Path) -> Path:
    """The folder of certificates is there where TLS is on."""
    return run / "tls"


def _port_names(trusts: tuple[str, ...], watch: bool) -> Iterator[str]:
    yield from ("prometheus", "exporter") if watch else ()
    yield from ("kafka", "kafka-controller", "postgres", "nginx", *SERVICES)
    for trust in trusts:
        yield from (f"orthanc-{trust}", f"orthanc-{trust}-dicom", f"xnat-{trust}", f"receiver-{trust}", f"node-{trust}")
