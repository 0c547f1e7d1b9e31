"""Our sender, and answers that no good peer gives."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from tests.unit.imaging.receiver.conftest import CALLED, CALLER, EXPLICIT
from trust_node.imaging.pacs.peer import Peer
from trust_node.imaging.receiver.dimse import STORE, Command
from trust_node.imaging.receiver.fragments import COMMAND, data_pdus
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.pdu import RELEASE, RELEASED, Abort, Accept, Answered, Reject, User
from trust_node.imaging.sending import SendingError, Sent, echo, send_files

CT = Path(get_testdata_file("CT_small.dcm"))
ACCEPT = Accept(CALLED, CALLER, (Answered(1, 0, EXPLICIT),), User(0)).encode()


def answer(command: Command, context: int = 1) -> bytes:
    return b"".join(data_pdus(context, COMMAND, command.encode(), 16_384))


DONE = Command(STORE, 1, "1.2", "1.2.3").answer


@contextmanager
def peer_that_says(*answers: bytes) -> Iterator[Peer]:
    """Whatever it hears, it gives these answers, one for each thing heard, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say, args=(listener, answers))
        thread.start()
        try:
            yield Peer("127.0.0.1", listener.getsockname()[1], CALLED, CALLER, timeout_s=2)
        finally:
            thread.join()


def _say(listener: socket.socket, answers: tuple[bytes, ...]) -> None:
    connection, _ = listener.accept()
    with suppress(OSError), connection:  # some callers have heard enough and hang up first
        for said in answers:
            connection.recv(2**20)
            connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**20):
            continue


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xA700, 0xC001])
def test_the_peer_s_status_is_told(status: int) -> None:
    with peer_that_says(ACCEPT, answer(DONE(status)), RELEASED) as peer:
        (sent,) = send_files(peer, [CT])
    assert sent == Sent(CT, status)
    assert sent.is_stored is (status in {0x0000, 0xB000})


def test_a_peer_that_takes_no_such_images_is_told_apart() -> None:
    refused = Accept(CALLED, CALLER, (Answered(1, 3, ""),), User(0)).encode()
    with peer_that_says(refused, RELEASED) as peer:
        assert list(send_files(peer, [CT])) == [Sent(CT, None)]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ((Reject(1, 1, 7).encode(),), "refuses.*reason=7"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "broke off"),
        ((RELEASE,), "broke off"),
        ((b"\2\0\0\0\0\4abcd",), "broke off"),
        ((), "broke off"),
        ((ACCEPT,), "broke off"),
        ((ACCEPT, Abort(0, 0).encode()), "broke off"),
        ((ACCEPT, RELEASE), "broke off"),
        ((ACCEPT, answer(Command(STORE, 1, "1.2", "1.2.3"))), "broke off"),
        ((ACCEPT, answer(Command(STORE, 9, "1.2", "1.2.3").answer(0))), "broke off"),
        ((ACCEPT, b"\4\0\0\0\0\6\0\0\0\2\1\3"), "broke off"),
    ],
)
def test_a_peer_that_answers_nonsense_is_left_with_one_kind_of_error(answers: tuple[bytes, ...], says: str) -> None:
    with peer_that_says(*answers) as peer, pytest.raises(SendingError, match=says):
        list(send_files(peer, [CT]))


def test_a_peer_that_never_answers_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(SendingError, match="broke off"):
        echo(Peer("127.0.0.1", listener.getsockname()[1], CALLED, CALLER, timeout_s=0.2))


def test_a_peer_that_does_not_take_echoes_is_an_error() -> None:
    refused = Accept(CALLED, CALLER, (Answered(1, 3, ""),), User(0)).encode()
    with peer_that_says(refused, RELEASED) as peer, pytest.raises(SendingError, match="C-ECHO"):
        echo(peer)


def test_a_file_that_is_none_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image" * 100)
    with pytest.raises(MalformedError, match="DICM"):
        list(send_files(Peer("127.0.0.1", 1, CALLED, CALLER), [CT, tmp_path / "notes.txt"]))


def test_more_kinds_than_an_association_has_contexts_take_several(listening: Callable, tmp_path: Path) -> None:
    place = listening(unknown=True)
    files = list(_of_many_classes(tmp_path, 150))
    peer = Peer("127.0.0.1", place.port, CALLED, CALLER)
    assert [sent.status for sent in send_files(peer, files)] == [0] * 150
    assert place.count("associations") == 2


def _of_many_classes(folder: Path, number: int) -> Iterator[Path]:
    image = dcmread(CT)
    for _ in range(number):
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = generate_uid()
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.save_as(folder / f"{image.SOPInstanceUID}.dcm")
        yield folder / f"{image.SOPInstanceUID}.dcm"
