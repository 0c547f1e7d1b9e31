import math
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save

from trust_node.training.sdk.trustflow_sdk import Federation, Misuse, wire
from trust_node.training.sdk.trustflow_sdk.weights import DTYPES, read
from trust_node.training.update import judge

INIT = {"kind": "init", "round": 0, "seed": 7, "model": None, "config": {"width": 2}}


@pytest.fixture
def trust(tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
    """The other end of the wire, with a federation that reads its environment."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setenv("TRUSTFLOW_SOCKET", str(theirs.detach()))
    monkeypatch.setenv("TRUSTFLOW_INBOX", str(tmp_path))
    monkeypatch.setenv("TRUSTFLOW_DATA", str(tmp_path))
    ours.settimeout(5)
    with ours:
        federation = Federation()
        yield SimpleNamespace(wire=ours, federation=federation, folder=tmp_path)
        federation._wire.close()


def given_task(trust, **changes):
    wire.send(trust.wire, {**INIT, **changes})
    return trust.federation.receive()


def test_a_task_arrives_with_its_config_and_seed(trust):
    task = given_task(trust)
    assert (task.kind, task.seed, task.config, task.model) == ("init", 7, {"width": 2}, None)


def test_the_model_is_read_from_the_inbox(trust):
    (trust.folder / "global").write_bytes(save({"w": torch.ones(2)}))
    task = given_task(trust, kind="train", model="global")
    assert task.model["w"].tolist() == [1.0, 1.0]


def test_what_is_sent_passes_the_nodes_judgement(trust):
    given_task(trust)
    trust.federation.send({"w": torch.ones(2, requires_grad=True)}, examples=1, metrics={"loss": 1})
    update = judge("init", *wire.receive(trust.wire), None, 1000)
    assert update.weights.tensors()["w"].tolist() == [1.0, 1.0]


def test_the_end_of_the_run_is_none(trust):
    trust.wire.close()
    assert trust.federation.receive() is None


def test_the_table_is_read_from_the_data_folder(trust):
    (trust.folder / "table.csv").write_text("study,path\nS1,a.nii\n")
    assert trust.federation.table == [{"study": "S1", "path": "a.nii"}]


@pytest.mark.parametrize(
    ("weights", "arguments", "remedy"),
    [
        (None, {"examples": 1}, "with weights"),
        ({"w": [1.0]}, {"examples": 1}, "tensor"),
        ({"w": torch.ones(1, dtype=torch.complex64)}, {"examples": 1}, "F32"),
        ({"w": torch.ones(1)}, {"examples": 1.0}, "whole number"),
        ({"w": torch.ones(1)}, {"examples": -1}, "0 or more"),
        ({"w": torch.ones(1)}, {"examples": 1, "metrics": {"Loss": 1.0}}, "begin with a letter"),
        ({"w": torch.ones(1)}, {"examples": 1, "metrics": {"loss": math.nan}}, "finite"),
        ({"w": torch.ones(1)}, {"examples": 1, "metrics": {f"m{n}": 0.0 for n in range(21)}}, "at most 20"),
    ],
)
def test_misuse_is_told_with_its_remedy_and_can_be_put_right(trust, weights, arguments, remedy):
    given_task(trust)
    with pytest.raises(Misuse, match=remedy):
        trust.federation.send(weights, **arguments)
    trust.federation.send({"w": torch.ones(1)}, examples=1)


def test_an_evaluation_is_answered_without_weights(trust):
    given_task(trust, kind="evaluate")
    with pytest.raises(Misuse, match="without weights"):
        trust.federation.send({"w": torch.ones(1)}, examples=1)


def test_a_task_must_be_answered_before_the_next_is_received(trust):
    given_task(trust)
    with pytest.raises(Misuse, match="not answered"):
        trust.federation.receive()


def test_there_is_nothing_to_answer_before_a_task(trust):
    with pytest.raises(Misuse, match="no task"):
        trust.federation.send(None, examples=1)
    trust.federation._wire  # noqa: B018  opened so that the fixture closes it


def test_outside_a_sandbox_the_missing_setting_is_named(monkeypatch):
    monkeypatch.delenv("TRUSTFLOW_SOCKET", raising=False)
    with pytest.raises(Misuse, match="TRUSTFLOW_SOCKET"):
        Federation().receive()


def test_a_model_of_any_types_is_read_as_it_was_written(tmp_path):
    model = {name: torch.ones((2, 3), dtype=dtype) for dtype, name in DTYPES.items()}
    model |= {"scalar": torch.tensor(2.5), "empty": torch.empty((0, 4))}
    (tmp_path / "model").write_bytes(save(model, metadata={"format": "pt"}))
    found = read(tmp_path / "model")
    assert found.keys() == model.keys()
    assert all(torch.equal(found[name], model[name]) and found[name].dtype == model[name].dtype for name in model)


def test_training_in_place_changes_no_file(tmp_path):
    file = tmp_path / "model"
    file.write_bytes(save({"w": torch.zeros(5)}))
    read(file)["w"].add_(1)
    assert torch.equal(read(file)["w"], torch.zeros(5))
