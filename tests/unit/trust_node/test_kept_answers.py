"""An answer of training code survives the node's death whole, or is not there at all."""

from pathlib import Path

import pytest

from trust_node.training.runs import Folders, KeptAnswer


@pytest.fixture
def kept(tmp_path: Path) -> KeptAnswer:
    return Folders(tmp_path, "r1").answer("train", 3)


def test_nothing_is_told_before_it_is_kept(kept: KeptAnswer) -> None:
    assert kept.told() is None


def test_what_was_kept_is_told_by_a_successor(kept: KeptAnswer, tmp_path: Path) -> None:
    kept.keep(memoryview(b"weights"), 12, {"loss": 0.5})
    successor = Folders(tmp_path, "r1").answer("train", 3)
    assert successor.told() == (12, {"loss": 0.5})
    assert successor.weights.read_bytes() == b"weights"


def test_an_answer_without_weights(kept: KeptAnswer) -> None:
    kept.keep(None, 12, {"accuracy": 1.0})
    assert kept.told() == (12, {"accuracy": 1.0})
    assert not kept.weights.exists()


@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_death_between_any_two_steps_leaves_no_half_answer(
    kept: KeptAnswer, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Death at the n-th renaming: what is written by then is not yet an answer."""
    renamings = 0
    rename = Path.replace

    def dying(self: Path, target: Path) -> Path:
        nonlocal renamings
        renamings += 1
        if renamings == dies_at:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        kept.keep(memoryview(b"weights"), 12, {})
    assert kept.told() is None
    monkeypatch.undo()
    kept.keep(memoryview(b"others"), 13, {})
    assert (kept.told(), kept.weights.read_bytes()) == ((13, {}), b"others")


def test_tasks_of_a_run_do_not_share_an_answer(tmp_path: Path) -> None:
    folders = Folders(tmp_path, "r1")
    stems = {folders.answer(kind, number).stem for kind in ("init", "train", "evaluate") for number in (1, 11)}
    assert len(stems) == 6


def test_an_answer_that_has_left_is_forgotten_whole(kept: KeptAnswer) -> None:
    kept.keep(memoryview(b"weights"), 12, {"loss": 0.5})
    kept.forget()
    assert kept.told() is None
    assert not kept.weights.exists()
