import stat

import pytest

from infra.environment import node_env, service_env, write_shell_files
from infra.federation import describe, remembered
from infra.programs import programs
from schemas.topics import BACKEND, SERVICES


def test_every_process_is_there_once_on_ports_of_its_own(tmp_path) -> None:
    found = programs(describe(3, tmp_path))
    names = [program.name for program in found]
    assert {*SERVICES, "kafka", "node-cedar", "orthanc-cedar", "xnat-cedar"} < set(names)
    assert len(set(names)) == len(names) == len({program.port for program in found})


def test_a_federation_is_remembered_as_it_was(tmp_path) -> None:
    assert remembered(tmp_path) is None
    assert describe(3, tmp_path) == remembered(tmp_path)


@pytest.mark.parametrize("trusts", [0, 99])
def test_an_impossible_number_of_trusts_is_refused(tmp_path, trusts) -> None:
    with pytest.raises(ValueError, match="choose 1 to 10"):
        describe(trusts, tmp_path)


def test_no_trust_is_told_anything_of_another_trust_or_of_the_hub(tmp_path) -> None:
    federation = describe(2, tmp_path)
    told = " ".join(node_env(federation, "amber").values())
    keys = federation.keys
    for name in ("postgres-trust_birch", "postgres-project", "postgres-postgres", "objects"):
        assert keys.value(name) not in told
    assert "birch" not in told
    assert "OBJECTS" not in " ".join(node_env(federation, "amber"))


def test_each_service_has_its_own_database_and_password(tmp_path) -> None:
    federation = describe(1, tmp_path)
    urls = {service_env(federation, service)["TRUSTFLOW_DATABASE_URL"] for service in SERVICES}
    files = {service_env(federation, service)["TRUSTFLOW_KAFKA_PASSWORD_FILE"] for service in SERVICES}
    assert len(urls) == len(files) == len(SERVICES)


def test_files_that_hold_passwords_are_for_their_owner_only(tmp_path) -> None:
    env = write_shell_files(describe(1, tmp_path))
    for file in (env, tmp_path / "kcat-operator.conf"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert env.read_text().startswith("export ")


def test_a_shell_is_told_how_a_ui_backend_logs_in(tmp_path) -> None:
    federation = describe(1, tmp_path)
    env = write_shell_files(federation).read_text()
    assert f"TRUSTFLOW_BACKEND_PASSWORD_FILE={federation.kafka_password_file(BACKEND)}\n" in env
    assert f"TRUSTFLOW_BACKEND_KCAT_CONFIG={tmp_path / 'kcat-backend.conf'}\n" in env
    assert f"sasl.username={BACKEND}\n" in (tmp_path / "kcat-backend.conf").read_text()
