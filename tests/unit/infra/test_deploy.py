"""The chart and the compose file name every process and every setting that it must be told, and nothing else."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bus.settings import BusSettings
from schemas.topics import SERVICES
from services.aggregator.settings import Settings as AggregatorSettings
from services.cohort.settings import Settings as CohortSettings
from services.training_coordinator.settings import Settings as TrainingSettings
from trust_node.settings import Settings as TrustSettings

DEPLOY = Path(__file__).parents[3] / "infra" / "deploy"
CHART = DEPLOY / "helm" / "trustflow"
TRUST = "trust"
OWN_SETTINGS: dict[str, type[BusSettings]] = {
    "cohort": CohortSettings,
    "training_coordinator": TrainingSettings,
    "aggregator": AggregatorSettings,
    TRUST: TrustSettings,
}
PROCESSES = (*SERVICES, TRUST)
SETTING = re.compile(r"TRUSTFLOW_[A-Z_]+")
SECRET = re.compile(r"(password|secret|key)s?$", re.IGNORECASE)


def module_of(process: str) -> str:
    return "trust_node" if process == TRUST else f"services.{process}"


def settings_of(process: str) -> type[BusSettings]:
    return OWN_SETTINGS.get(process, BusSettings)


def variables(process: str, *, required: bool) -> set[str]:
    fields = settings_of(process).model_fields.items()
    return {f"TRUSTFLOW_{name.upper()}" for name, field in fields if field.is_required() or not required}


@cache
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@cache
def values() -> Any:
    return yaml.safe_load((CHART / "values.yaml").read_text())


def told_by_compose(process: str) -> set[str]:
    """The database's address comes from a file of its own: it holds a password."""
    return {*compose()["services"][process]["environment"], "TRUSTFLOW_DATABASE_URL", "TRUSTFLOW_WAREHOUSE_URL"}


def told_by_chart(process: str) -> set[str]:
    templates = {file.stem: set(SETTING.findall(file.read_text())) for file in (CHART / "templates").iterdir()}
    everybody = templates["_parts"] - {name for name in templates["_parts"] if "_OBJECTS_" in name}
    if process == TRUST:
        return everybody | templates["trust"]
    own = values()["hub"]["services"][process]
    objects = {name for name in templates["_parts"] if "_OBJECTS_" in name} if own.get("objects") else set()
    spool = {"TRUSTFLOW_SPOOL_DIR"} if own.get("spool") else set()
    return everybody | objects | spool | {*own.get("settings", ())} | (templates["services"] - {"TRUSTFLOW_SPOOL_DIR"})


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("told", [told_by_chart, told_by_compose])
def test_a_process_is_told_all_it_must_know(process: str, told: Any) -> None:
    assert variables(process, required=True) - told(process) == set()


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("told", [told_by_chart, told_by_compose])
def test_a_process_is_told_nothing_that_no_setting_reads(process: str, told: Any) -> None:
    of_the_hub = {"TRUSTFLOW_TRUST_KEYS", "TRUSTFLOW_WAREHOUSE_URL"}
    assert told(process) - variables(process, required=False) <= of_the_hub


def test_both_start_every_process_and_no_other() -> None:
    assert set(compose()["services"]) == set(PROCESSES)
    assert set(values()["hub"]["services"]) == set(SERVICES)


@pytest.mark.parametrize("process", PROCESSES)
def test_what_a_container_runs_is_there(process: str) -> None:
    assert compose()["services"][process]["command"] == ["python", "-m", module_of(process)]
    assert importlib.util.find_spec(f"{module_of(process)}.__main__")


@pytest.mark.parametrize("process", PROCESSES)
def test_a_container_may_write_nothing_but_its_volumes(process: str) -> None:
    container = compose()["services"][process]
    assert container["read_only"]
    assert container["cap_drop"] == ["ALL"]
    assert not container["user"].startswith("0")
    assert all(
        volume.endswith(":ro") for volume in container["volumes"] if ":/secrets" in volume or "/shared" in volume
    )


def test_no_secret_has_a_value() -> None:
    """Files and references only: a value here would be committed with it."""
    for service in compose()["services"].values():
        told = {name: value for name, value in service["environment"].items() if SECRET.search(name)}
        assert all(value.startswith("/") for value in told.values()), told


def test_the_image_has_every_package_that_is_run() -> None:
    containerfile = (DEPLOY / "Containerfile").read_text()
    for package in ("schemas", "bus", "services", "trust_node"):
        assert f"COPY {package} {package}" in containerfile


HUB = """
kafka: {bootstrap: "kafka.example.org:9093", caConfigMap: kafka-ca}
objects: {url: "https://objects.example.org"}
hub: {services: {cohort: {members: 3}}}
"""
HOSPITAL = """
kafka: {bootstrap: "kafka.example.org:9093"}
hub: {enabled: false}
trust: {enabled: true, id: amber, pacs: {host: pacs, title: PACS}, xnat: {url: "https://xnat", user: trustflow}}
"""


def rendered(tmp_path: Path, text: str) -> list[Mapping[str, Any]]:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed: go install helm.sh/helm/v3/cmd/helm@latest")
    (tmp_path / "values.yaml").write_text(text)
    command = [helm, "template", "t", str(CHART), "--kube-version", "1.30.0", "-f", str(tmp_path / "values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def containers(documents: list[Mapping[str, Any]]) -> dict[str, Any]:
    sets = [document for document in documents if document["kind"] == "StatefulSet"]
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0] for one in sets}


def test_helm_renders_the_hub(tmp_path: Path) -> None:
    documents = rendered(tmp_path, HUB)
    made = containers(documents)
    assert set(made) == {f"trustflow-{service.replace('_', '-')}" for service in SERVICES}
    for service in SERVICES:
        container = made[f"trustflow-{service.replace('_', '-')}"]
        assert variables(service, required=True) <= {variable["name"] for variable in container["env"]}
        assert container["securityContext"]["readOnlyRootFilesystem"]
    replicas = {one["metadata"]["name"]: one["spec"].get("replicas") for one in documents}
    assert replicas["trustflow-cohort"] == 3


def test_helm_renders_a_hospital_that_only_its_pacs_and_monitoring_may_reach(tmp_path: Path) -> None:
    documents = rendered(tmp_path, HOSPITAL)
    (container,) = containers(documents).values()
    assert variables(TRUST, required=True) <= {variable["name"] for variable in container["env"]}
    (policy,) = (document for document in documents if document["kind"] == "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert [rule["ports"][0]["port"] for rule in policy["spec"]["ingress"]] == [8080, 11112]
