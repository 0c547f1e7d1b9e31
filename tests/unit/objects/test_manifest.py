import hashlib
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load, save

from schemas.manifest import (
    BYTES,
    BadHeader,
    Manifest,
    Part,
    TensorSpec,
    cuts,
    layout,
    manifest_of,
    read_layout,
    whole_digest,
)
from trust_node.training.sdk.trustflow_sdk.weights import DTYPES

TORCH = {name: dtype for dtype, name in DTYPES.items()}

specs = st.lists(
    st.builds(
        TensorSpec,
        name=st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable() and name != "__metadata__"),
        dtype=st.sampled_from(sorted(BYTES)),
        shape=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda tensor: tensor.name,
)


def zeros(tensors: list[TensorSpec]) -> dict[str, torch.Tensor]:
    return {tensor.name: torch.zeros(tensor.shape, dtype=TORCH[tensor.dtype]) for tensor in tensors}


def part(index: int, content: bytes) -> Part:
    return Part(index=index, size=len(content), sha256=hashlib.sha256(content).hexdigest())


@given(specs)
def test_the_layout_is_the_one_that_the_safetensors_library_writes(tensors):
    written = save(zeros(tensors))
    found = layout(tensors)
    assert written.startswith(found.header)
    assert len(written) == found.size


@given(specs, st.randoms())
def test_the_layout_does_not_depend_on_the_order_tensors_come_in(tensors, random):
    shuffled = random.sample(tensors, len(tensors))
    assert layout(shuffled) == layout(tensors)


@given(specs)
def test_a_header_reads_back_as_its_layout(tensors):
    found = layout(tensors)
    assert read_layout(found.header + b"values follow") == found


@given(st.binary(max_size=200).filter(lambda text: not text.startswith(b"{}")), st.booleans())
def test_garbage_is_a_bad_header_and_nothing_else(garbage, framed):
    with pytest.raises(BadHeader):
        read_layout(len(garbage).to_bytes(8, "little") * framed + garbage)


@pytest.mark.parametrize(
    "entries",
    [
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}},
        {"a": {"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}},
        {"__metadata__": {"who": "me"}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {
            "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        },
        ["a"],
    ],
    ids=["short", "negative", "unknown dtype", "metadata", "overlapping", "a list"],
)
def test_a_header_that_tells_another_layout_is_refused(entries):
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with pytest.raises(BadHeader):
        read_layout(len(text).to_bytes(8, "little") + text)


def test_values_lie_where_the_layout_says():
    model = {"bias": torch.tensor([1.0, 2.0]), "count": torch.tensor([7])}
    written = save(model)
    found = read_layout(written)
    spans = {spec.name: span for spec, span in zip(found.tensors, found.spans, strict=True)}
    start, stop = spans["bias"]
    assert torch.frombuffer(bytearray(written[start:stop]), dtype=torch.float32).tolist() == [1.0, 2.0]
    assert load(written)["count"].item() == 7


@given(st.integers(1, 10_000), st.integers(1, 999))
def test_cuts_cover_every_byte_once(size, part_size):
    spans = cuts(size, part_size)
    assert [byte for start, stop in spans for byte in range(start, stop)] == list(range(size))
    assert max(stop - start for start, stop in spans) <= part_size


def test_the_whole_digest_is_made_of_the_parts_digests():
    first, second = part(0, b"one"), part(1, b"two")
    both = hashlib.sha256(b"one").digest() + hashlib.sha256(b"two").digest()
    assert whole_digest([first, second]) == hashlib.sha256(both).hexdigest()
    assert whole_digest([second, first]) != whole_digest([first, second])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"size": 5}, "size"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"parts": ()}, "parts"),
        ({"parts": (part(1, b"one"), part(0, b"two"))}, "parts"),
        ({"prefix": "runs/../secrets"}, "prefix"),
        ({"prefix": "/absolute"}, "prefix"),
        ({"tensors": (TensorSpec(name="w", dtype="F32", shape=(1,)),)}, "tensors"),
    ],
)
def test_a_manifest_that_contradicts_itself_names_the_field(change, field):
    good = manifest_of("runs/r1/model", [part(0, b"one"), part(1, b"two")])
    with pytest.raises(ValidationError, match=field):
        Manifest.model_validate({**dict(good), **change})


def test_a_manifest_of_tensors_survives_the_wire():
    written = save({"w": torch.ones(3), "b": torch.zeros(1)})
    manifest = manifest_of("runs/r1/model", [part(0, written)], read_layout(written).tensors)
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
