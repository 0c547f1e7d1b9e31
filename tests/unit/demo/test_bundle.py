import gzip
import importlib
import sys
from pathlib import Path
from types import ModuleType

import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import infra.demo
from infra.demo.plan import LABELS

BUNDLE = Path(infra.demo.__file__).parent / "bundle"


class NoFederation:
    """Stands in for the SDK, which opens its socket when the sandbox asks it to."""


@pytest.fixture(scope="module")
def trainer():
    sdk = ModuleType("trustflow_sdk")
    sdk.federation = NoFederation()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BUNDLE))
        patch.setitem(sys.modules, "trustflow_sdk", sdk)
        torch.set_num_threads(1)  # as in the sandbox: more threads than cores are many times slower
        yield importlib.import_module("trainer")
        for name in ("trainer", "adam", "model", "volumes"):
            sys.modules.pop(name)


@pytest.fixture(scope="module")
def volumes(trainer):
    return sys.modules["volumes"]


def rows(studies: int) -> list[dict[str, str]]:
    return [
        {
            "study": f"s{study}",
            "scan": str(scan),
            "path": "",
            "label": LABELS[(study + scan) % 3],
            "case": str(study),
            "split": "train" if study % 4 else "held_out",
        }
        for study in range(studies)
        for scan in range(1 + study % 2)
    ]


def bright_and_dark(volumes):
    torch.manual_seed(1)
    labels = torch.arange(40) % 2
    ramp = torch.linspace(-1, 1, 64).expand(40, 1, 64, 64)
    return volumes.Slices(ramp * (1 - 2 * labels.float()).reshape(-1, 1, 1, 1), labels)


def test_the_bundle_names_the_labels_of_the_plan(trainer):
    assert trainer.BUNDLE["labels"] == list(LABELS)
    assert (BUNDLE / trainer.BUNDLE["entry_point"]).exists()


@settings(max_examples=25, deadline=None)
@given(
    voxels=arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.uint16]),
        arrays.array_shapes(min_dims=3, max_dims=3, max_side=5),
        elements=st.integers(0, 200),
    ),
    big_endian=st.booleans(),
)
def test_the_own_reader_reads_what_nibabel_writes(volumes, tmp_path_factory, voxels, big_endian):
    header = nibabel.Nifti1Header(endianness=">" if big_endian else "<")
    header.set_data_dtype(voxels.dtype)
    path = tmp_path_factory.mktemp("nifti") / "scan.nii.gz"
    path.write_bytes(gzip.compress(nibabel.Nifti1Image(voxels, np.eye(4), header).to_bytes()))
    assert np.array_equal(volumes.read_nifti(path), voxels)


def test_slices_are_found_along_the_shortest_axis_and_normalised(volumes, tmp_path):
    voxels = np.random.default_rng(1).integers(0, 900, (5, 128, 96)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "1.nii.gz")
    found = volumes.load_slices([{"path": "1.nii.gz", "label": "PD"}], tmp_path, list(LABELS))
    assert found.pixels.shape == (5, 1, 64, 64)
    assert found.labels.tolist() == [LABELS.index("PD")] * 5
    assert torch.allclose(found.pixels.mean(dim=(1, 2, 3)), torch.zeros(5), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 40), order=st.randoms(use_true_random=False))
def test_the_split_is_the_data_managers_whatever_the_order_of_rows(volumes, count, order):
    table = rows(count)
    train, held_out = volumes.split_studies(table)
    assert [*train, *held_out] == [row for row in table if int(row["case"]) % 4] + [
        row for row in table if not int(row["case"]) % 4
    ]
    shuffled = list(table)
    order.shuffle(shuffled)
    assert volumes.split_studies(shuffled) == (train, held_out)


def test_the_same_seed_gives_bit_identical_weights(volumes, trainer):
    slices = bright_and_dark(volumes)
    trained = []
    for _ in range(2):
        torch.manual_seed(7)
        network = trainer._network(None)
        trainer.fit(network, slices, trainer.BUNDLE["config"])
        trained.append(network.state_dict())
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_the_first_step_of_adam_moves_by_the_learning_rate_against_the_gradients_sign(trainer):
    parameters = torch.zeros(3)
    trainer.Adam([parameters], 0.01).step([torch.tensor([5.0, -0.2, 0.001])])
    assert torch.allclose(parameters, torch.tensor([-0.01, 0.01, -0.01]), atol=1e-6)


def test_steady_gradients_keep_adams_pace(trainer):
    parameters = torch.zeros(1)
    adam = trainer.Adam([parameters], 0.01)
    for _ in range(10):
        adam.step([torch.ones(1)])
    assert torch.allclose(parameters, torch.tensor([-0.1]), atol=1e-5)


def test_training_learns_what_can_be_learned(volumes, trainer):
    slices = bright_and_dark(volumes)
    torch.manual_seed(7)
    network = trainer._network(None)
    before = trainer.evaluate(network, slices)
    trainer.fit(network, slices, trainer.BUNDLE["config"])
    after = trainer.evaluate(network, slices)
    assert after["accuracy"] == 1.0
    assert after["loss"] < before["loss"]


def test_a_trust_without_held_out_slices_answers_with_finite_metrics(volumes, trainer):
    empty = volumes.load_slices([], Path(), list(LABELS))
    assert trainer.evaluate(trainer._network(None), empty) == {"accuracy": 0.0, "loss": 0.0}
    assert trainer.fit(trainer._network(None), empty, trainer.BUNDLE["config"]) == 0.0
