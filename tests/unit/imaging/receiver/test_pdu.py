"""Our association PDUs, beside pynetdicom's."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RQ, P_DATA_TF

from trust_node.imaging.receiver.fragments import COMMAND, LAST, PDV_HEAD, data_pdus
from trust_node.imaging.receiver.items import MalformedError
from trust_node.imaging.receiver.pdu import HEAD, RELEASE, Abort, Accept, Answered, Proposed, Reject, Request, User

FEW = settings(max_examples=40, deadline=None)

titles = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=91), min_size=1, max_size=16)
uids = st.from_regex(r"[12](\.(0|[1-9][0-9]{0,5})){1,8}", fullmatch=True)
users = st.builds(User, st.integers(0, 2**32 - 1), uids, st.from_regex(r"[A-Z0-9_]{1,16}", fullmatch=True))
odd = st.integers(0, 127).map(lambda number: 2 * number + 1)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    numbers = draw(st.lists(odd, min_size=1, max_size=6, unique=True))
    syntaxes = st.lists(uids, min_size=1, max_size=4, unique=True).map(tuple)
    contexts = tuple(Proposed(number, draw(uids), draw(syntaxes)) for number in numbers)
    return Request(draw(titles), draw(titles), contexts, draw(users))


@st.composite
def accepts(draw: st.DrawFn) -> Accept:
    numbers = draw(st.lists(odd, min_size=1, max_size=6, unique=True))
    contexts = tuple(Answered(number, 0, draw(uids)) for number in numbers)
    return Accept(draw(titles), draw(titles), contexts, draw(users))


def body(encoded: bytes) -> bytes:
    _, length = HEAD.unpack_from(encoded)
    assert length == len(encoded) - HEAD.size
    return encoded[HEAD.size :]


def oracle(kind: type, encoded: bytes) -> Any:
    pdu = kind()
    pdu.decode(encoded)
    return pdu


@FEW
@given(requests())
def test_a_request_comes_back_as_it_was(request: Request) -> None:
    assert Request.decode(body(request.encode())) == request


@FEW
@given(requests())
def test_pynetdicom_reads_and_writes_the_same_request(request: Request) -> None:
    theirs = oracle(A_ASSOCIATE_RQ, request.encode())
    assert theirs.encode() == request.encode()
    assert (theirs.called_ae_title, theirs.calling_ae_title) == (request.called, request.calling)
    assert [item.abstract_syntax for item in theirs.presentation_context] == [
        context.abstract_syntax for context in request.contexts
    ]
    assert theirs.user_information.maximum_length == request.user.max_length


@FEW
@given(accepts())
def test_pynetdicom_reads_and_writes_the_same_accept(accept: Accept) -> None:
    theirs = oracle(A_ASSOCIATE_AC, accept.encode())
    assert theirs.encode() == accept.encode()
    assert [item.transfer_syntax for item in theirs.presentation_context] == [
        context.transfer_syntax for context in accept.contexts
    ]
    assert Accept.decode(body(accept.encode())) == accept


@given(st.integers(1, 2), st.integers(1, 3), st.integers(0, 7))
def test_rejections_and_aborts_are_pynetdicoms(result: int, source: int, reason: int) -> None:
    theirs = oracle(A_ASSOCIATE_RJ, Reject(result, source, reason).encode())
    assert (theirs.result, theirs.source, theirs.reason_diagnostic) == (result, source, reason)
    assert theirs.encode() == Reject(result, source, reason).encode()
    assert Reject.decode(body(theirs.encode())) == Reject(result, source, reason)
    ended = oracle(A_ABORT_RQ, Abort(source, reason).encode())
    assert (ended.source, ended.reason_diagnostic) == (source, reason)
    assert Abort.decode(body(ended.encode())) == Abort(source, reason)


def test_a_release_is_pynetdicoms() -> None:
    assert oracle(A_RELEASE_RQ, RELEASE).encode() == RELEASE


@given(st.binary(min_size=1, max_size=300), st.integers(7, 64))
def test_pieces_of_a_message_fit_and_make_it_whole_again(message: bytes, longest: int) -> None:
    stream, back = b"".join(data_pdus(3, COMMAND, message, longest)), b""
    while stream:
        _, length = HEAD.unpack_from(stream)
        pdu, stream = stream[: HEAD.size + length], stream[HEAD.size + length :]
        assert length <= longest
        (value,) = oracle(P_DATA_TF, pdu).presentation_data_value_items
        _, context, flags = PDV_HEAD.unpack_from(pdu, HEAD.size)
        assert (context, flags) == (3, COMMAND | (0 if stream else LAST))
        back += value.data[1:]
    assert back == message


@given(st.binary(max_size=400))
def test_any_bytes_are_a_request_or_malformed(data: bytes) -> None:
    with_head = body(Request("A", "B", (Proposed(1, "1.2", ("1.2",)),), User(0)).encode())[:68] + data
    for hostile in (data, with_head):
        try:
            assert isinstance(Request.decode(hostile), Request)
        except MalformedError:
            continue


@pytest.mark.parametrize("numbers", [(1, 1), (2,), (0,)])
def test_contexts_have_odd_numbers_each_its_own(numbers: tuple[int, ...]) -> None:
    contexts = tuple(Proposed(number, "1.2", ("1.2",)) for number in numbers)
    with pytest.raises(MalformedError, match="odd"):
        Request.decode(body(Request("A", "B", contexts, User(0)).encode()))
