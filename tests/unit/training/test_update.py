import math
import os
from contextlib import closing

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save

from schemas.manifest import Layout, read_layout
from trust_node.training.sdk.trustflow_sdk.weights import DTYPES, sealed
from trust_node.training.update import BadUpdate, Update, judge

MODEL = {"w": torch.ones(2, 3), "steps": torch.tensor(5), "half": torch.ones(4, dtype=torch.bfloat16)}
LAYOUT = read_layout(save(MODEL))
ANSWER = {"examples": 3, "metrics": {"loss": 0.123456}}
MIB = 2**20


def judged(weights: dict[str, torch.Tensor], *, kind: str = "train", expected: Layout | None = LAYOUT) -> Update:
    file = sealed(weights)
    try:
        return judge(kind, ANSWER, file, expected, MIB)
    finally:
        os.close(file)


def refusal(kind: str, message: object, file: int | None, limit: int = MIB) -> str:
    with pytest.raises(BadUpdate) as caught:
        judge(kind, message, file, LAYOUT, limit)
    return caught.value.code


def refused_weights(weights: dict[str, torch.Tensor]) -> str:
    with pytest.raises(BadUpdate) as caught:
        judged(weights)
    return caught.value.code


def test_a_sealed_file_is_what_the_safetensors_library_would_write():
    file = sealed(MODEL)
    assert os.pread(file, MIB, 0) == save(MODEL)
    os.close(file)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_goes_there_and_back(dtype):
    values = torch.tensor([0, 1, 1, 0]).to(dtype)
    update = judged({"x": values, "nothing": values[:0], "scalar": values[1]}, kind="init", expected=None)
    assert update.weights is not None
    back = update.weights.tensors()
    assert torch.equal(back["x"], values)
    assert back["nothing"].shape == (0,)
    assert back["scalar"].shape == ()


def test_weights_that_are_not_contiguous_are_sent_as_they_look():
    update = judged({"x": torch.arange(6).reshape(2, 3).T}, kind="init", expected=None)
    assert update.weights is not None
    assert update.weights.tensors()["x"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_good_update_passes_with_rounded_metrics():
    update = judged(MODEL)
    assert update.examples == 3
    assert update.metrics == {"loss": 0.1235}
    assert update.weights is not None
    assert bytes(update.weights.file) == save(MODEL)


def test_clipping_in_place_changes_the_file_that_is_uploaded():
    weights = judged(MODEL).weights
    assert weights is not None
    weights.tensors()["w"].mul_(0.5)
    assert load(bytes(weights.file))["w"].unique().tolist() == [0.5]


def test_a_sealed_file_can_not_be_changed_any_more():
    file = sealed(MODEL)
    with pytest.raises(PermissionError):
        os.pwrite(file, b"x", 0)
    os.close(file)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["w", "half"])
def test_one_value_that_is_not_finite_refuses_the_update(bad, name):
    weights = {key: value.clone() for key, value in MODEL.items()}
    weights[name].view(-1)[1] = bad
    assert refused_weights(weights) == "not_finite"


@pytest.mark.parametrize(
    "change",
    [
        {"w": torch.ones(3, 2)},
        {"w": torch.ones(2, 3, dtype=torch.float64)},
        {"extra": torch.ones(1)},
    ],
)
def test_weights_of_another_layout_are_refused(change):
    assert refused_weights({**MODEL, **change}) == "wrong_layout"


def test_missing_weights_are_refused():
    assert refused_weights({"w": MODEL["w"]}) == "wrong_layout"


def test_no_tensors_at_all_are_refused():
    assert refused_weights({}) == "bad_file"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (None, "bad_message"),
        ([], "bad_message"),
        ({**ANSWER, "more": 1}, "bad_message"),
        ({**ANSWER, "examples": 0}, "bad_examples"),
        ({**ANSWER, "examples": -1}, "bad_examples"),
        ({**ANSWER, "examples": 2.5}, "bad_examples"),
        ({**ANSWER, "examples": True}, "bad_examples"),
        ({**ANSWER, "metrics": {"Loss!": 1.0}}, "bad_metrics"),
        ({**ANSWER, "metrics": {"loss": "low"}}, "bad_metrics"),
        ({**ANSWER, "metrics": {"loss": math.nan}}, "bad_metrics"),
        ({**ANSWER, "metrics": {f"m{n}": 1.0 for n in range(21)}}, "bad_metrics"),
    ],
)
def test_a_bad_message_is_refused_with_a_code_that_names_the_field(message, code):
    assert refusal("evaluate", message, None) == code


def test_a_refusal_repeats_no_word_of_the_training_code():
    with pytest.raises(BadUpdate) as caught:
        judge("train", {**ANSWER, "Jane Doe": 1}, None, LAYOUT, MIB)
    assert "Jane" not in str(caught.value)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_any_message_is_judged_without_a_crash(message):
    assert refusal("train", message, None).startswith("bad_")


def test_training_without_weights_and_evaluation_with_them_are_refused():
    assert refusal("train", ANSWER, None) == "bad_weights"
    file = sealed(MODEL)
    assert refusal("evaluate", ANSWER, file) == "bad_weights"
    os.close(file)


def test_an_update_larger_than_the_trust_allows_is_refused():
    file = sealed(MODEL)
    assert refusal("train", ANSWER, file, limit=len(save(MODEL)) - 1) == "too_large"
    os.close(file)


def test_a_file_that_could_still_be_changed_is_refused(tmp_path):
    path = tmp_path / "update"
    path.write_bytes(save(MODEL))
    memory = os.memfd_create("update", os.MFD_ALLOW_SEALING)
    os.write(memory, save(MODEL))
    with path.open("rb") as plain, os.fdopen(memory) as unsealed:
        assert refusal("train", ANSWER, plain.fileno()) == "bad_file"
        assert refusal("train", ANSWER, unsealed.fileno()) == "bad_file"


def test_things_that_are_no_files_are_refused():
    reading, writing = os.pipe()
    with closing(os.fdopen(reading)), closing(os.fdopen(writing, "w")):
        assert refusal("train", ANSWER, reading) == "bad_file"
