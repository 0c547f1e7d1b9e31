"""What each process is told, by environment variables named `TRUSTFLOW_…`, and what a person's shell is told."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from infra.federation import Federation, trust_role, warehouse_name, warehouse_reader
from infra.parts.orthanc import USER as PACS_USER
from infra.parts.xnat import ADMIN as XNAT_USER
from infra.policies import policy_file
from infra.watch.targets import write_targets
from schemas.topics import ADMINISTRATOR, BACKEND, CLIENT, OPERATOR, SERVICES, SPEAKERS, trust_principal

RUN_MARK = "TRUSTFLOW_RUN"


def service_env(federation: Federation, service: str) -> dict[str, str]:
    return {
        **_participant_env(federation, service, service),
        "TRUSTFLOW_HTTP_PORT": str(federation.ports[service]),
        "TRUSTFLOW_TRUST_KEYS": str(federation.trust_keys),
        "TRUSTFLOW_TRUSTS": ",".join(federation.trusts),
        "TRUSTFLOW_OBJECTS_URL": federation.nginx.url,
        "TRUSTFLOW_OBJECTS_SECRET_FILE": str(federation.keys.file("objects")),
        "TRUSTFLOW_SPOOL_DIR": str(working_directory(federation, service) / "spool"),
    }


def node_env(federation: Federation, trust: str) -> dict[str, str]:
    pacs, archive = federation.orthanc(trust), federation.xnat(trust)
    return {
        **_participant_env(federation, trust_principal(trust), trust_role(trust)),
        "TRUSTFLOW_HTTP_PORT": str(federation.ports[f"node-{trust}"]),
        "TRUSTFLOW_TRUST_ID": trust,
        "TRUSTFLOW_POLICY_FILE": str(policy_file(federation, trust)),
        "TRUSTFLOW_SIGNING_KEY_FILE": str(federation.signing_key_file(trust)),
        "TRUSTFLOW_TRUST_KEY_FILE": str(federation.keys.file(f"trust-key-{trust}")),
        "TRUSTFLOW_WAREHOUSE_URL": federation.database_url(warehouse_reader(trust), warehouse_name(trust)),
        "TRUSTFLOW_PACS_HOST": "127.0.0.1",
        "TRUSTFLOW_PACS_PORT": str(pacs.dicom_port),
        "TRUSTFLOW_PACS_TITLE": pacs.title,
        "TRUSTFLOW_RECEIVER_PORT": str(pacs.receiver_port),
        "TRUSTFLOW_RECEIVER_TITLE": pacs.receiver_title,
        "TRUSTFLOW_XNAT_URL": archive.url,
        "TRUSTFLOW_XNAT_USER": XNAT_USER,
        "TRUSTFLOW_XNAT_PASSWORD_FILE": str(federation.keys.file(archive.name)),
        "TRUSTFLOW_DATA_DIRECTORY": str(working_directory(federation, f"node-{trust}")),
    }


def working_directory(federation: Federation, program: str) -> Path:
    return federation.run / program


def write_shell_files(federation: Federation) -> Path:
    """Write what a person's tools need: `env`, each node's variables, kcat's configurations; return the first."""
    for principal in (*SPEAKERS, OPERATOR):
        _private(federation.run / f"kcat-{principal}.conf", _kcat(federation, principal))
    write_targets(metrics_urls(federation), federation.ports.get("exporter"), federation.targets_file)
    for trust in federation.trusts:
        _private(federation.run / f"node-{trust}.env", _exports(node_env(federation, trust)))
    return _private(federation.run / "env", _exports(_shell_env(federation)))


def _exports(env: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in env.items())


def _participant_env(federation: Federation, principal: str, role: str) -> dict[str, str]:
    return {
        RUN_MARK: str(federation.run),
        "PYTHONUNBUFFERED": "1",
        "TRUSTFLOW_KAFKA_BOOTSTRAP": federation.kafka.bootstrap,
        "TRUSTFLOW_KAFKA_PASSWORD_FILE": str(federation.kafka_password_file(principal)),
        "TRUSTFLOW_DATABASE_URL": federation.database_url(role),
        **_ca_env(federation),
    }


def _ca_env(federation: Federation) -> Mapping[str, str]:
    return {"TRUSTFLOW_KAFKA_CA_FILE": str(federation.ca_file)} if federation.ca_file else {}


def _shell_env(federation: Federation) -> Mapping[str, str]:
    return {
        "TRUSTFLOW_TRUSTS": ",".join(federation.trusts),
        "TRUSTFLOW_KAFKA_BOOTSTRAP": federation.kafka.bootstrap,
        "TRUSTFLOW_KAFKA_PASSWORD_FILE": str(federation.kafka_password_file(CLIENT)),
        **_ca_env(federation),
        "TRUSTFLOW_OBJECTS_URL": federation.nginx.url,
        "TRUSTFLOW_OBJECTS_SECRET_FILE": str(federation.keys.file("objects")),
        "TRUSTFLOW_BACKEND_PASSWORD_FILE": str(federation.kafka_password_file(BACKEND)),
        "TRUSTFLOW_BACKEND_KCAT_CONFIG": str(federation.run / f"kcat-{BACKEND}.conf"),
        "TRUSTFLOW_ADMIN_PASSWORD_FILE": str(federation.kafka_password_file(ADMINISTRATOR)),
        "TRUSTFLOW_OBJECTS_FOLDER": str(federation.nginx.objects),
        "KAFKA_BOOTSTRAP": federation.kafka.bootstrap,
        "KAFKA_OPERATOR_PASSWORD_FILE": str(federation.kafka_password_file(OPERATOR)),
        "KCAT_CONFIG": str(federation.run / f"kcat-{OPERATOR}.conf"),
        "OBJECTS_URL": federation.nginx.url,
        **_postgres_env(federation),
        **{name: value for trust in federation.trusts for name, value in _trust_shell_env(federation, trust).items()},
        **{f"{service.upper()}_HEALTH_URL": _health(federation, service) for service in SERVICES},
        "TRUSTFLOW_METRICS": ",".join(f"{name}={url}" for name, url in metrics_urls(federation).items()),
    }


def _postgres_env(federation: Federation) -> Mapping[str, str]:
    roles = (*SERVICES, *map(trust_role, federation.trusts))
    return {
        "POSTGRES_ADDRESS": f"127.0.0.1:{federation.postgres.port}",
        "POSTGRES_URL": federation.postgres.dsn("postgres"),
        **{f"{role.upper()}_DATABASE_URL": federation.database_url(role) for role in roles},
        "TRUSTFLOW_DATABASES": ",".join(map(federation.database_url, roles)),
    }


def _trust_shell_env(federation: Federation, trust: str) -> Mapping[str, str]:
    pacs, archive, prefix = federation.orthanc(trust), federation.xnat(trust), trust.replace("-", "_").upper()
    return {
        f"{prefix}_PACS_URL": pacs.url,
        f"{prefix}_PACS_DICOM": f"{pacs.title}@127.0.0.1:{pacs.dicom_port}",
        f"{prefix}_PACS_USER": PACS_USER,
        f"{prefix}_PACS_PASSWORD_FILE": str(federation.keys.file(pacs.name)),
        f"{prefix}_XNAT_URL": archive.url,
        f"{prefix}_XNAT_USER": XNAT_USER,
        f"{prefix}_XNAT_PASSWORD_FILE": str(federation.keys.file(archive.name)),
        f"{prefix}_WAREHOUSE_URL": federation.database_url(warehouse_reader(trust), warehouse_name(trust)),
        f"{prefix}_NODE_HEALTH_URL": _health(federation, f"node-{trust}"),
    }


def metrics_urls(federation: Federation) -> dict[str, str]:
    """Where Prometheus' text format is, by participant."""
    ports = {service: federation.ports[service] for service in SERVICES}
    ports |= {trust_principal(trust): federation.ports[f"node-{trust}"] for trust in federation.trusts}
    return {participant: f"http://127.0.0.1:{port}/metrics" for participant, port in ports.items()}


def _health(federation: Federation, program: str) -> str:
    return f"http://127.0.0.1:{federation.ports[program]}/health"


def _kcat(federation: Federation, principal: str) -> str:
    password = federation.keys.value(f"kafka-{principal}")
    door = f"SASL_SSL\nssl.ca.location={federation.ca_file}" if federation.ca_file else "SASL_PLAINTEXT"
    return (
        f"bootstrap.servers={federation.kafka.bootstrap}\n"
        f"security.protocol={door}\nsasl.mechanisms=PLAIN\n"
        f"sasl.username={principal}\nsasl.password={password}\n"
    )


def _private(file: Path, text: str) -> Path:
    file.touch(0o600)
    file.write_text(text)
    return file
