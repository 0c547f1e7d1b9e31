import json
import socket

from hypothesis import given
from hypothesis import strategies as st

from infra.parts.part import free_port, is_free
from infra.ports import choose_ports, remembered_ports


def test_ports_stay_the_same_while_they_are_free(tmp_path) -> None:
    file = tmp_path / "ports.json"
    first = choose_ports(("kafka", "nginx"), file)
    assert choose_ports(("kafka", "nginx"), file) == first == remembered_ports(file)


def test_a_port_that_somebody_took_is_chosen_anew(tmp_path) -> None:
    file = tmp_path / "ports.json"
    first = choose_ports(("kafka", "nginx"), file)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", first["kafka"]))
        squatter.listen()
        second = choose_ports(("kafka", "nginx"), file)
    assert second["kafka"] != first["kafka"]
    assert second["nginx"] == first["nginx"]


def test_a_name_that_is_gone_is_forgotten(tmp_path) -> None:
    file = tmp_path / "ports.json"
    choose_ports(("kafka", "xnat-cedar"), file)
    assert choose_ports(("kafka",), file).keys() == {"kafka"}


@given(st.lists(st.text(min_size=1), unique=True, max_size=30))
def test_no_two_names_share_a_port_even_when_the_file_says_so(tmp_path_factory, names: list[str]) -> None:
    file = tmp_path_factory.mktemp("ports") / "ports.json"
    file.write_text(json.dumps(dict.fromkeys(names, free_port())))
    chosen = choose_ports(names, file)
    assert len(set(chosen.values())) == len(names)


def test_a_free_port_lies_below_those_of_outgoing_connections() -> None:
    port = free_port()
    assert is_free(port)
    assert 20_000 <= port < 32_000
