"""Run by `folding` in a fresh process: folds once or often, and says what it took."""

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import torch
from safetensors.torch import load_file

from schemas.manifest import Layout, read_layout
from services.aggregator.folding import fold
from services.aggregator.strategy import FedAvg

REPEATS = 9
EVERY_S = 0.001


def memory(paths: Sequence[Path], layout: Layout) -> dict[str, float]:
    """Return, in bytes above the idle level, the peak resident set and the peak of memory that no file backs."""
    fold(paths[:1], [1], layout, FedAvg())
    idle = _status()
    Path("/proc/self/clear_refs").write_text("5")
    done, private = Event(), [0]
    watcher = Thread(target=_watch, args=(done, private))
    watcher.start()
    fold(paths, [1] * len(paths), layout, FedAvg())
    done.set()
    watcher.join()
    return {"resident": _status()["VmHWM"] - idle["VmRSS"], "private": max(private) - _private(idle)}


def times(paths: Sequence[Path], layout: Layout) -> dict[str, float]:
    """Return the median seconds of our fold, from files, and of torch's own in-place sum of what is in memory."""
    held = [load_file(path) for path in paths]
    held = [{name: tensor.clone() for name, tensor in update.items()} for update in held]
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(REPEATS):
        torch.set_num_threads(1)
        ours.append(_timed(lambda: fold(paths, [1] * len(paths), layout, FedAvg())))
        torch.set_num_threads(2)
        plain.append(_timed(lambda: _plain(held)))
    return {"ours": statistics.median(ours), "plain": statistics.median(plain)}


def _plain(held: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    share = 1 / len(held)
    total = {name: tensor * share for name, tensor in held[0].items()}
    for update in held[1:]:
        for name, tensor in update.items():
            total[name].add_(tensor, alpha=share)
    return total


def _timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _watch(done: Event, peak: list[int]) -> None:
    while not done.wait(EVERY_S):
        peak.append(_private(_status()))


def _private(status: dict[str, int]) -> int:
    return status["RssAnon"] + status["RssShmem"]


def _status() -> dict[str, int]:
    """Return the memory lines of this process's status, in bytes."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0][:-1]: int(line[1]) * 1024 for line in lines if line[-1] == "kB"}


def main() -> None:
    what, count, folder = sys.argv[1:]
    paths = sorted(Path(folder).iterdir())[: int(count)]
    with paths[0].open("rb") as file:
        layout = read_layout(file.read(2**20))
    sys.stdout.write(json.dumps({"memory": memory, "times": times}[what](paths, layout)))


main()
