"""Our command sets, beside pydicom's implicit VR and pynetdicom's primitives."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.filereader import read_dataset
from pynetdicom.dimse_messages import C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode

from trust_node.imaging.receiver.dimse import ECHO, NO_ROOM, RESPONSE, STORE, Command
from trust_node.imaging.receiver.items import MalformedError

FEW = settings(max_examples=40, deadline=None)

uids = st.from_regex(r"[12](\.(0|[1-9][0-9]{0,5})){1,8}", fullmatch=True)
numbers = st.integers(0, 2**16 - 1)
stores = st.builds(Command, st.just(STORE), numbers, uids, uids, st.just(True))
echoes = st.builds(Command, st.just(ECHO), numbers, st.just("1.2.840.10008.1.1"))
answers = st.builds(Command, st.just(STORE | RESPONSE), numbers, uids, uids, st.just(False), numbers)


@given(st.one_of(stores, echoes, answers))
def test_a_command_comes_back_as_it_was(command: Command) -> None:
    assert Command.decode(command.encode()) == command


@FEW
@given(stores)
def test_pydicom_reads_what_we_ask(command: Command) -> None:
    read = read_dataset(BytesIO(command.encode()), is_implicit_VR=True, is_little_endian=True)
    assert (read.CommandField, read.MessageID, read.AffectedSOPClassUID) == (
        STORE, command.message_id, command.sop_class,
    )  # fmt: skip
    assert read.AffectedSOPInstanceUID == command.sop_instance
    assert read.CommandGroupLength == len(command.encode()) - 12


@FEW
@given(stores)
def test_we_read_what_pynetdicom_asks(command: Command) -> None:
    asked = C_STORE()
    asked.MessageID, asked.Priority = command.message_id, 2
    asked.AffectedSOPClassUID, asked.AffectedSOPInstanceUID = command.sop_class, command.sop_instance
    asked.DataSet = BytesIO(b"x")
    message = C_STORE_RQ()
    message.primitive_to_message(asked)
    encoded = encode(message.command_set, is_implicit_vr=True, is_little_endian=True)
    assert encoded is not None
    assert Command.decode(encoded) == command


def test_our_answer_is_pynetdicoms() -> None:
    ours = Command(STORE, 7, "1.2.3", "1.2.3.4").answer(NO_ROOM)
    theirs = C_STORE()
    theirs.MessageIDBeingRespondedTo, theirs.Status = 7, NO_ROOM
    theirs.AffectedSOPClassUID, theirs.AffectedSOPInstanceUID = "1.2.3", "1.2.3.4"
    message = C_STORE_RSP()
    message.primitive_to_message(theirs)
    assert ours.encode() == encode(message.command_set, is_implicit_vr=True, is_little_endian=True)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_malformed(data: bytes) -> None:
    try:
        Command.decode(data)
    except MalformedError:
        return


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_command_that_is_cut_off_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedError):
        Command.decode(Command(STORE, 1, "1.2", "1.2.3", has_data=True).encode()[:-cut])
