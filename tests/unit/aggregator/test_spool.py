from collections.abc import AsyncIterator

import pytest
import torch

from bus.errors import Rejection
from services.aggregator.spool import Spool, take_in
from tests.unit.aggregator.models import content, layout_of, manifest

WEIGHTS = {"a": torch.arange(6, dtype=torch.float64), "b": torch.ones(7), "n": torch.tensor(3)}


async def parts(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [8 * 45, 10**6])
async def test_verified_parts_become_the_file(tmp_path, size) -> None:
    body = content(WEIGHTS)
    await take_in(parts(body, size), layout_of(body), tmp_path / "run" / "file", job_id=1)
    assert (tmp_path / "run" / "file").read_bytes() == body
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
async def test_a_number_that_is_not_finite_is_refused_by_its_tensors_name(tmp_path, bad, dtype) -> None:
    tensor = torch.ones(9, dtype=dtype)
    tensor[4] = bad
    body = content({"first": torch.ones(3, dtype=dtype), "second": tensor, "third": torch.ones(3, dtype=dtype)})
    with pytest.raises(Rejection) as refused:
        await take_in(parts(body, 10**6), layout_of(body), tmp_path / "file", job_id=1)
    assert refused.value.code == "not_finite"
    assert refused.value.reason.startswith("second ")
    assert not (tmp_path / "file").exists()


async def test_a_header_that_is_not_the_manifests_is_refused(tmp_path) -> None:
    body = content(WEIGHTS)
    other = body.replace(b'"a"', b'"z"')
    with pytest.raises(Rejection) as refused:
        await take_in(parts(other, 10**6), layout_of(body), tmp_path / "file", job_id=1)
    assert refused.value.code == "wrong_header"


def test_a_spool_begins_empty_and_forgets_rounds_and_runs(tmp_path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.clear()
    sent = manifest(content(WEIGHTS), "p")
    kept, dropped = spool.path("r", 2, sent), spool.path("r", 1, sent)
    for path in (kept, dropped):
        path.parent.mkdir(parents=True)
        path.touch()
    spool.drop_round("r", 1)
    assert (kept.exists(), dropped.exists()) == (True, False)
    spool.drop_run("r")
    spool.drop_run("never-seen")
    assert not kept.exists()
