"""What a trust says is believed as it was said, byte by byte, and from nobody else."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.decode import Decoded, MissingKeys, proven, read
from bus.proof.signing import KEY_ID, SIGNATURE, Author, BadSignature, Signer, TrustKeys, signed_bytes
from schemas.envelope import Header
from schemas.message import Message
from schemas.project import CreateProject
from schemas.trust import CohortCounted, CountCohort
from tests.unit.bus.recorded import FakeRecord, record_of

COUNTED = CohortCounted(trust_id="amber", query_id="q1", project_id="p1", outcome="counted", persons=120)
CREATE = CreateProject(actor="ada", project_id="p1", name="Knees")
KEYS = ("amber", "birch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def signers(folder: Path) -> dict[str, Signer]:
    return {trust: Signer.open(folder / f"{trust}-private.pem") for trust in KEYS}


@pytest.fixture(scope="module")
def keys(folder: Path, signers: dict[str, Signer]) -> TrustKeys:
    known = TrustKeys(folder)
    for trust, signer in signers.items():
        known.admit(trust, signer.public_pem)
    return known


def signed(message: Message, signer: Signer) -> FakeRecord:
    record = record_of(message)
    return replace(record, headers=signer.signed(list(record.headers), record.value or b""))


def judged(record: FakeRecord, keys: TrustKeys) -> str:
    found = read(record)
    assert isinstance(found, Decoded)
    proof = proven(record, found, keys)
    return "believed" if isinstance(proof, Decoded) else proof.code


def test_a_trust_is_believed_by_its_own_key_only(keys: TrustKeys, signers: dict[str, Signer]) -> None:
    assert judged(signed(COUNTED, signers["amber"]), keys) == "believed"
    assert judged(signed(COUNTED, signers["birch"]), keys) == "bad_signature"
    assert judged(record_of(COUNTED), keys) == "bad_signature"


def test_the_hub_needs_no_signature_and_a_trust_of_unknown_key_is_not_believed(
    keys: TrustKeys, signers: dict[str, Signer], tmp_path: Path
) -> None:
    order = CountCohort(trust_id="amber", query_id="q1", project_id="p1", sql="select 1")
    assert judged(record_of(order), keys) == judged(record_of(CREATE), keys) == "believed"
    with pytest.raises(BadSignature, match=r"amber\.pem among"):
        TrustKeys(tmp_path).verify("amber", signed(COUNTED, signers["amber"]).headers, COUNTED.to_bytes())


def test_who_handles_trusts_without_their_keys_is_told_so(signers: dict[str, Signer]) -> None:
    record = signed(COUNTED, signers["amber"])
    found = read(record)
    assert isinstance(found, Decoded)
    with pytest.raises(MissingKeys, match="without the trusts' keys"):
        proven(record, found, None)


def test_no_bit_of_a_header_or_of_the_payload_can_be_changed(keys: TrustKeys, signers: dict[str, Signer]) -> None:
    """Every bit of every value, the signature and the name of the key included: base64 has several spellings."""
    record = signed(COUNTED, signers["amber"])
    names = [name for name, _ in record.headers]
    parts = [*(value or b"" for _, value in record.headers), record.value or b""]
    keys.verify("amber", list(zip(names, parts[:-1], strict=True)), parts[-1])
    for which, place, bit in every_bit(parts):
        changed = list(parts)
        changed[which] = flipped(parts[which], place, bit)
        with pytest.raises(BadSignature):
            keys.verify("amber", list(zip(names, changed[:-1], strict=True)), changed[-1])


def every_bit(parts: list[bytes]) -> Iterator[tuple[int, int, int]]:
    sizes = ((which, place) for which, part in enumerate(parts) for place in range(len(part)))
    return ((which, place, bit) for which, place in sizes for bit in range(8))


def flipped(part: bytes, place: int, bit: int) -> bytes:
    return part[:place] + bytes([part[place] ^ 1 << bit]) + part[place + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: [*headers, ("ce_extra", b"1")],
        lambda headers: [*headers, ("ce_id", b"another")],
        lambda headers: [header for header in headers if header[0] != "ce_time"],
        lambda headers: [(name, None if name == "ce_subject" else value) for name, value in headers],
        lambda headers: [*headers, next(header for header in headers if header[0] == SIGNATURE)],
    ],
    ids=["added", "said twice", "left out", "made null", "signed twice"],
)
def test_no_header_can_be_added_left_out_or_doubled(change, keys: TrustKeys, signers: dict[str, Signer]) -> None:
    headers = change(list(signed(COUNTED, signers["amber"]).headers))
    with pytest.raises(BadSignature):
        keys.verify("amber", headers, COUNTED.to_bytes())


def test_what_the_bus_itself_adds_and_the_order_of_headers_do_not_matter(
    keys: TrustKeys, signers: dict[str, Signer]
) -> None:
    headers = [*reversed(signed(COUNTED, signers["amber"]).headers), ("tf-origin", b"trust.amber.events/0/7")]
    keys.verify("amber", headers, COUNTED.to_bytes())


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
headers_of_any_kind = st.lists(st.tuples(texts.map("ce_".__add__), st.none() | st.binary(max_size=5)), max_size=4)


@given(one=headers_of_any_kind, other=headers_of_any_kind, payload=st.binary(max_size=5), another=st.binary(max_size=5))
def test_two_messages_never_have_the_same_signed_bytes(
    one: list[Header], other: list[Header], payload: bytes, another: bytes
) -> None:
    def told(headers: list[Header]) -> list[Header]:
        return sorted((h for h in headers if h[0] != SIGNATURE), key=lambda h: (h[0], h[1] is not None, h[1] or b""))

    same = told(one) == told(other) and payload == another
    assert (signed_bytes(one, payload) == signed_bytes(other, another)) is same


def test_a_key_is_replaced_without_a_gap_and_without_a_restart(tmp_path: Path) -> None:
    keys = TrustKeys(tmp_path)
    old, new = (Signer.open(tmp_path / f"{name}-private.pem") for name in ("old", "new"))
    before, after = signed(COUNTED, old), signed(COUNTED, new)
    keys.admit("amber", old.public_pem)
    assert (judged(before, keys), judged(after, keys)) == ("believed", "bad_signature")
    keys.admit("amber", new.public_pem)
    assert (judged(before, keys), judged(after, keys)) == ("believed", "believed")
    (tmp_path / "amber.pem").write_bytes(new.public_pem)
    assert (judged(before, keys), judged(after, keys)) == ("bad_signature", "believed")


def test_a_key_that_is_admitted_twice_is_there_once(tmp_path: Path) -> None:
    keys, signer = TrustKeys(tmp_path), Signer.open(tmp_path / "private.pem")
    keys.admit("amber", signer.public_pem)
    keys.admit("amber", signer.public_pem)
    assert (tmp_path / "amber.pem").read_bytes() == signer.public_pem


def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, signers: dict[str, Signer]) -> None:
    (tmp_path / "amber.pem").write_text("-----BEGIN PUBLIC KEY-----\nrubbish\n-----END PUBLIC KEY-----\n")
    with pytest.raises(BadSignature, match=r"amber\.pem is no PEM"):
        TrustKeys(tmp_path).verify("amber", signed(COUNTED, signers["amber"]).headers, COUNTED.to_bytes())


def test_a_trusts_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "signing.pem"
    made, opened = Signer.open(file), Signer.open(file)
    assert made.public_pem == opened.public_pem
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(made)


def test_who_has_no_key_signs_nothing() -> None:
    headers: list[Header] = [("ce_id", b"1")]
    assert Author("project").signed(headers, b"{}") is headers
    assert KEY_ID not in dict(headers)
