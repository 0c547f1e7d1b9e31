import pytest

from client.settings import NotRunning, federation_settings

VARIABLES = (
    "TRUSTFLOW_ENV",
    "TRUSTFLOW_KAFKA_BOOTSTRAP",
    "TRUSTFLOW_CLIENT_PASSWORD_FILE",
    "TRUSTFLOW_OPERATOR_PASSWORD_FILE",
    "TRUSTFLOW_KAFKA_PASSWORD_FILE",
    "KAFKA_OPERATOR_PASSWORD_FILE",
    "TRUSTFLOW_ADMIN_PASSWORD_FILE",
    "TRUSTFLOW_TRUSTS",
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "build" / "run"
    folder.mkdir(parents=True)
    (folder / "client").write_text("secret\n")
    (folder / "env").write_text(
        "export TRUSTFLOW_KAFKA_BOOTSTRAP=127.0.0.1:9092\n"
        f"TRUSTFLOW_CLIENT_PASSWORD_FILE='{folder / 'client'}'\n"
        f"export TRUSTFLOW_OPERATOR_PASSWORD_FILE={folder / 'missing'}\nexport OTHER='a b'\n"
    )
    return folder


def test_the_file_of_make_up_is_found_from_a_folder_below(run_folder, tmp_path):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = federation_settings(below)
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.client_login().password == "secret"


def test_a_variable_wins_over_the_file(run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TRUSTFLOW_KAFKA_BOOTSTRAP", "kafka:9094")
    assert federation_settings(tmp_path).kafka_bootstrap == "kafka:9094"


def test_trustflow_env_names_another_file(run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TRUSTFLOW_ENV", str(run_folder / "env"))
    assert federation_settings(tmp_path.parent).kafka_bootstrap == "127.0.0.1:9092"


def test_without_file_and_variables_no_federation_is_running(tmp_path):
    with pytest.raises(NotRunning, match="`make up` starts one"):
        federation_settings(tmp_path)


def test_a_file_that_lacks_something_is_named_with_what_it_lacks(run_folder, tmp_path):
    (run_folder / "env").write_text("export TRUSTFLOW_KAFKA_BOOTSTRAP=127.0.0.1:9092\n")
    with pytest.raises(NotRunning, match="lacks TRUSTFLOW_CLIENT_PASSWORD_FILE"):
        federation_settings(tmp_path)


def test_a_password_file_that_cannot_be_read_is_named(run_folder, tmp_path):
    with pytest.raises(NotRunning, match="missing cannot be read"):
        federation_settings(tmp_path).operator_login()


def test_the_operators_file_is_only_needed_by_the_operator(run_folder, tmp_path):
    env = run_folder / "env"
    env.write_text("\n".join(env.read_text().splitlines()[:2]))
    settings = federation_settings(tmp_path)
    with pytest.raises(NotRunning, match="TRUSTFLOW_OPERATOR_PASSWORD_FILE"):
        settings.operator_login()


def test_the_names_a_shell_is_given_for_other_tools_are_understood(run_folder, tmp_path):
    (run_folder / "env").write_text(
        "export TRUSTFLOW_KAFKA_BOOTSTRAP=127.0.0.1:9092\n"
        f"export TRUSTFLOW_KAFKA_PASSWORD_FILE={run_folder / 'client'}\n"
        f"export KAFKA_OPERATOR_PASSWORD_FILE={run_folder / 'client'}\n"
    )
    settings = federation_settings(tmp_path)
    assert settings.client_login().password == settings.operator_login().password == "secret"


@pytest.mark.parametrize(
    ("asked", "variable"),
    [("admin_login", "TRUSTFLOW_ADMIN_PASSWORD_FILE"), ("known_trusts", "TRUSTFLOW_TRUSTS")],
)
def test_what_only_the_administrator_needs_is_named_when_it_is_asked_for(run_folder, tmp_path, asked, variable):
    with pytest.raises(NotRunning, match=variable):
        getattr(federation_settings(tmp_path), asked)()


def test_the_administrator_logs_in_and_knows_the_trusts(run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TRUSTFLOW_ADMIN_PASSWORD_FILE", str(run_folder / "client"))
    monkeypatch.setenv("TRUSTFLOW_TRUSTS", "amber,birch")
    settings = federation_settings(tmp_path)
    assert (settings.admin_login().principal, settings.admin_login().password) == ("admin", "secret")
    assert settings.known_trusts() == ("amber", "birch")
