import pytest
import torch

from bus.errors import Rejection
from schemas.manifest import Manifest
from schemas.trust import UpdateSubmitted
from services.aggregator.domain import check_claims
from tests.unit.aggregator.models import content, manifest

LIMIT = 10**6
CONTENT = content({"w": torch.zeros(4)})
GLOBAL = manifest(CONTENT, "runs/r/0/global")


def update(sent: Manifest | None = None, **changes: object) -> UpdateSubmitted:
    about = {"trust_id": "amber", "run_id": "r", "round": 1, "kind": "train", "examples": 5, "metrics": {}}
    return UpdateSubmitted(**{**about, "manifest": sent or manifest(CONTENT, "runs/r/1/amber"), **changes})


def code(sent: UpdateSubmitted, model: Manifest | None = GLOBAL, limit: int = LIMIT) -> str:
    with pytest.raises(Rejection) as refused:
        check_claims(sent, model, limit)
    return refused.value.code


def test_an_update_of_the_global_models_layout_is_believed() -> None:
    assert check_claims(update(), GLOBAL, LIMIT).tensors == GLOBAL.tensors


def test_another_attempt_lies_beside_the_first() -> None:
    again = update(manifest(CONTENT, "runs/r/1/amber/again-2"))
    assert check_claims(again, GLOBAL, LIMIT).tensors == GLOBAL.tensors


def test_a_first_model_may_have_any_layout() -> None:
    first = update(manifest(CONTENT, "runs/r/0/amber"), round=0, kind="init", examples=0)
    assert check_claims(first, None, LIMIT).tensors == GLOBAL.tensors


def test_without_a_global_model_of_the_round_before_the_round_is_wrong() -> None:
    assert code(update(), None) == "wrong_round"


@pytest.mark.parametrize(("round_", "kind"), [(0, "train"), (1, "init"), (1, "evaluate")])
def test_each_round_takes_one_kind_of_update(round_, kind) -> None:
    assert code(update(round=round_, kind=kind)) == "wrong_kind"


@pytest.mark.parametrize(
    "prefix", ["runs/r/1/birch", "runs/r/2/amber", "runs/r/1/amber-2", "runs/other/1/amber", "bundles/m/x"]
)
def test_parts_of_anybody_else_are_refused(prefix) -> None:
    assert code(update(manifest(CONTENT, prefix))) == "wrong_prefix"


@pytest.mark.parametrize(
    "weights", [{"w": torch.zeros(5)}, {"v": torch.zeros(4)}, {"w": torch.zeros(4).half()}, {"w": torch.zeros(2, 2)}]
)
def test_other_shapes_names_or_types_are_refused(weights) -> None:
    assert code(update(manifest(content(weights), "runs/r/1/amber"))) == "wrong_shapes"


def test_a_larger_update_than_allowed_is_refused() -> None:
    assert code(update(), limit=10) == "too_large"


def test_parts_of_another_size_are_refused() -> None:
    assert code(update(manifest(CONTENT, "runs/r/1/amber", part_size=32))) == "wrong_parts"


@pytest.mark.parametrize("examples", [-1, 10**9 + 1])
def test_an_impossible_number_of_examples_is_refused(examples) -> None:
    assert code(update(examples=examples)) == "bad_examples"
