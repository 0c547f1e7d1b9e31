"""Who is let in, and what is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID_dictionary

from trust_node.imaging.receiver.admission import Door, checked_networks, plain_address
from trust_node.imaging.receiver.receiver import INSIDE
from trust_node.imaging.receiver.uids import taken

EVERYTHING = taken(unknown=True)


def door(*networks: str) -> Door:
    return Door("NODE", ("PACS",), networks, EVERYTHING, 131_072)


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_over_both_kinds_of_socket(address) -> None:
    assert plain_address(f"::ffff:{address}") == plain_address(str(address)) == address
    assert door(f"{address}/32").is_neighbour(f"::ffff:{address}")


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.9.8.7", True), ("192.168.1.1", True), ("127.0.0.1", True), ("::1", True), ("fd00::1%eth0", True),
     ("8.8.8.8", False), ("172.32.0.1", False), ("2001:db8::1", False), ("::ffff:8.8.8.8", False)],
)  # fmt: skip
def test_by_default_only_private_networks_are_neighbours(address: str, inside: bool) -> None:
    assert door(*INSIDE).is_neighbour(address) is inside


@pytest.mark.parametrize("network", ["10.0.0.1/8", "pacs.hospital", "10.0.0.0/33"])
def test_a_network_that_is_none_is_named(network: str) -> None:
    with pytest.raises(ValueError, match=network.replace(".", r"\.")):
        checked_networks((network,))


def test_nothing_but_storage_and_echo_is_taken_of_what_the_standard_knows() -> None:
    for uid, (name, kind, *_) in UID_dictionary.items():
        if EVERYTHING.takes(uid) and kind == "SOP Class":
            assert "Storage" in name or name == "Verification SOP Class", name
            assert "Commitment" not in name


@pytest.mark.parametrize(
    ("uid", "strictly"),
    [("1.2.840.10008.5.1.4.1.1.2", True), ("1.2.840.10008.5.1.4.1.1.5", True), ("1.3.12.2.1107.5.9.1", False)],
    ids=["CT", "retired", "private"],
)
def test_storage_is_taken_private_storage_where_it_may_be(uid: str, strictly: bool) -> None:
    assert EVERYTHING.takes(uid)
    assert taken(unknown=False).takes(uid) is strictly
