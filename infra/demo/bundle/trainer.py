"""The code a researcher uploads: it goes to the data, receives a model each round, and sends back an update."""  # noqa: INP001  a bundle is a folder of scripts

import json
from pathlib import Path
from typing import Any

import torch
from adam import Adam  # type: ignore[import-not-found]  # found beside this file, in the sandbox
from model import SliceNet  # type: ignore[import-not-found]
from torch import Tensor, nn
from trustflow_sdk import federation  # type: ignore[import-not-found]
from volumes import Slices, load_slices, split_studies  # type: ignore[import-not-found]

BUNDLE: dict[str, Any] = json.loads((Path(__file__).parent / "bundle.json").read_text())
Weights = dict[str, Tensor]


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    train, held_out = _load()
    while (task := federation.receive()) is not None:
        torch.manual_seed(task.seed)
        settings = BUNDLE["config"] | task.config
        network = _network(task.model)
        if task.kind == "train":
            received = evaluate(network, held_out)
            loss = fit(network, train, settings)
            federation.send(network.state_dict(), examples=len(train), metrics={**received, "train_loss": loss})
        elif task.kind == "evaluate":
            federation.send(None, examples=len(held_out), metrics=evaluate(network, held_out))
        else:
            federation.send(network.state_dict(), examples=0, metrics={})


def fit(network: nn.Module, slices: Slices, settings: dict[str, Any]) -> float:
    """Train in place, return the last epoch's mean loss; the optimizer is new each round: restarts change nothing."""
    if not len(slices):
        return 0.0
    optimizer = Adam(network.parameters(), settings["learning_rate"])
    network.train()
    losses: list[float] = []
    for _ in range(settings["epochs"]):
        batches = torch.split(torch.randperm(len(slices)), settings["batch"])
        losses = [_step(network, optimizer, slices.pixels[batch], slices.labels[batch]) for batch in batches]
    return sum(losses) / len(losses)


def evaluate(network: nn.Module, slices: Slices) -> dict[str, float]:
    """Return accuracy and mean loss over all slices; both 0 where there are none."""
    if not len(slices):
        return {"accuracy": 0.0, "loss": 0.0}
    network.eval()
    with torch.no_grad():
        logits = network(slices.pixels)
    right = (logits.argmax(dim=1) == slices.labels).float().mean()
    return {"accuracy": float(right), "loss": float(nn.functional.cross_entropy(logits, slices.labels))}


def _step(network: nn.Module, optimizer: Adam, pixels: Tensor, labels: Tensor) -> float:
    loss = nn.functional.cross_entropy(network(pixels), labels)
    optimizer.step(torch.autograd.grad(loss, list(network.parameters())))
    return loss.item()


def _network(weights: Weights | None) -> SliceNet:
    network = SliceNet(len(BUNDLE["labels"]))
    if weights is not None:
        network.load_state_dict(weights)
    return network


def _load() -> tuple[Slices, Slices]:
    train, held_out = split_studies(federation.table)
    folder, labels = federation.data_dir, BUNDLE["labels"]
    return load_slices(train, folder, labels), load_slices(held_out, folder, labels)


if __name__ == "__main__":
    main()
