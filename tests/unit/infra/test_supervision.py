import configparser
import shlex
from pathlib import Path

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from infra.programs import Program
from infra.supervision import Supervisor, _configuration


def program(**changes) -> Program:
    settings = {
        "name": "cohort",
        "group": "nodes",
        "command": ["python", "-m", "a b"],
        "env": {"TRUSTFLOW_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"},
        "directory": Path("/run/cohort"),
        "port": 1,
    }
    return Program(**{**settings, **changes})


def section(run: Path, one: Program) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read_string(_configuration(run, (one, program(name="nginx", group="parts"))))
    return parser[f"program:{one.name}"]


def test_a_program_comes_back_whenever_it_ends(tmp_path) -> None:
    found = section(tmp_path, program())
    assert (found["autorestart"], found["autostart"], found["stopsignal"]) == ("true", "false", "TERM")


def test_command_and_environment_are_read_back_as_they_were(tmp_path) -> None:
    one = program(env={"A": "x,y=z w", "B": "/a/b"})
    found = section(tmp_path, one)
    assert shlex.split(found["command"]) == one.command
    assert dict_of_key_value_pairs(found["environment"]) == one.env


def test_a_percent_sign_is_not_taken_for_an_expansion(tmp_path) -> None:
    found = section(tmp_path, program(command=["echo", "100%"], env={"A": "50%"}))
    assert found["command"] % {} == "echo 100%"
    assert found["environment"] % {} == 'A="50%"'


def test_what_supervisord_cannot_hold_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="quote"):
        section(tmp_path, program(env={"A": 'say "hello"'}))


def test_a_path_too_long_for_a_socket_is_refused_with_the_remedy(tmp_path) -> None:
    with pytest.raises(ValueError, match="shorter path"):
        Supervisor(tmp_path / ("x" * 100))


def test_nobody_listening_is_not_running(tmp_path) -> None:
    assert not Supervisor(tmp_path).is_running()
