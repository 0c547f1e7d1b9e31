import itertools
import resource
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load

from schemas.manifest import read_layout
from schemas.training import FoldInput
from services.aggregator import folding
from services.aggregator.domain import in_order
from services.aggregator.folding import fold
from services.aggregator.strategy import FedAvg
from tests.unit.aggregator.models import content, layout_of, written

Model = dict[str, torch.Tensor]


def folded(folder: Path, models: list[Model], examples: list[int]) -> Model:
    layout = layout_of(content(models[0]))
    return load(bytes(fold(list(written(folder, *models)), examples, layout, FedAvg())))


def random_model(seed: int) -> Model:
    generator = torch.Generator().manual_seed(seed)
    return {
        "conv.weight": torch.randn(33, 7, generator=generator),
        "half": torch.randn(9, generator=generator).half(),
        "brain": torch.randn(5, generator=generator).bfloat16(),
        "double": torch.randn(3, generator=generator, dtype=torch.float64),
        "steps": torch.tensor(seed),
        "mask": torch.tensor([True, False, True]),
    }


def test_values_are_means_weighted_by_examples(tmp_path) -> None:
    model = folded(tmp_path, [{"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([5.0, 4.0])}], [3, 1])
    assert model["w"].tolist() == [2.0, 1.0]


def test_every_float_type_is_averaged_and_keeps_its_type(tmp_path) -> None:
    models = [random_model(seed) for seed in (1, 2, 3)]
    model = folded(tmp_path, models, [1, 2, 5])
    for name in ("conv.weight", "half", "brain", "double"):
        expected = sum(m[name].double() * n for m, n in zip(models, (1, 2, 5), strict=True)) / 8
        assert model[name].dtype == models[0][name].dtype
        assert torch.allclose(model[name].double(), expected, atol=1e-2 if name in {"half", "brain"} else 1e-6)


def test_counters_and_masks_come_from_the_first_trust(tmp_path) -> None:
    model = folded(tmp_path, [random_model(7), random_model(9)], [1, 99])
    assert model["steps"].item() == 7
    assert model["mask"].tolist() == [True, False, True]


def test_one_update_alone_is_kept_bit_by_bit(tmp_path) -> None:
    model = random_model(4)
    again = folded(tmp_path, [model], [17])
    assert content(again) == content(model)


def test_tensors_without_values_and_scalars_survive(tmp_path) -> None:
    model = folded(tmp_path, [{"none": torch.empty(0, 3), "one": torch.tensor(2.0)}] * 2, [1, 1])
    assert model["none"].shape == (0, 3)
    assert model["one"].item() == 2.0


def test_the_result_is_the_same_whatever_the_order_of_acceptance(tmp_path) -> None:
    models = {trust: random_model(seed) for seed, trust in enumerate(("amber", "birch", "cedar"))}
    results = set()
    for number, order in enumerate(itertools.permutations(models)):
        folder = tmp_path / str(number)
        folder.mkdir()
        inputs = tuple(FoldInput(trust_id=trust, examples=len(trust) * 7, digest="0" * 64) for trust in order)
        sorted_inputs = in_order(inputs)
        model = folded(folder, [models[i.trust_id] for i in sorted_inputs], [i.examples for i in sorted_inputs])
        results.add(content(model))
    assert len(results) == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_does_not_change_a_bit(tmp_path, monkeypatch, threads) -> None:
    monkeypatch.setattr(folding, "PART_SIZE", 4096)
    models = [{"w": torch.randn(10_001, generator=torch.Generator().manual_seed(seed))} for seed in range(3)]
    monkeypatch.setattr(folding, "THREADS", 1)
    alone = folded(tmp_path, models, [3, 5, 9])
    monkeypatch.setattr(folding, "THREADS", threads)
    assert torch.equal(folded(tmp_path, models, [3, 5, 9])["w"], alone["w"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=4),
    examples=st.lists(st.integers(1, 10**9), min_size=1, max_size=4),
)
def test_any_layout_is_folded_to_its_mean(tmp_path, monkeypatch, sizes, examples) -> None:
    monkeypatch.setattr(folding, "PART_SIZE", 4096)
    models = [
        {f"t{place}": torch.full((size,), float(number)) for place, size in enumerate(sizes)}
        for number in range(len(examples))
    ]
    mean = sum(number * count for number, count in enumerate(examples)) / sum(examples)
    for values in folded(tmp_path, models, examples).values():
        assert torch.allclose(values, torch.full_like(values, mean), rtol=1e-5)


class Watching(FedAvg):
    """Looks at the memory of the process whenever a block has been combined."""

    def __init__(self) -> None:
        self.peak = 0

    def combine(self, out, values, shares) -> None:
        super().combine(out, values, shares)
        self.peak = max(self.peak, resident())


def test_memory_is_one_model_however_many_updates(tmp_path) -> None:
    size = 96 * 2**20
    paths = list(written(tmp_path, {"w": torch.ones(size // 4)})) * 12
    with paths[0].open("rb") as file:
        layout = read_layout(file.read(4096))
    strategy, before = Watching(), resident()
    model = fold(paths, [1] * 12, layout, strategy)
    assert len(model) == layout.size
    assert size / 2 < strategy.peak - before < 1.6 * size


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
