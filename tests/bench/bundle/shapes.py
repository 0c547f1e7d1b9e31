"""Models by name: their tensors' names and shapes."""

from collections.abc import Iterator

Shape = tuple[int, ...]
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


def shapes(model: str) -> dict[str, Shape]:
    return {"weight": (10,)} if model == "tiny" else dict(_resnet50())


def _resnet50() -> Iterator[tuple[str, Shape]]:
    """He et al. 2016, table 1: 25,557,032 parameters, 102 MB of float32."""
    yield from _convolution("stem", 64, 3, 7)
    came = 64
    for stage, (width, blocks) in enumerate(STAGES):
        for block in range(blocks):
            yield from _bottleneck(f"{stage}.{block}", came, width, shortcut=block == 0)
            came = width * 4
    yield from (("head.weight", (1000, came)), ("head.bias", (1000,)))


def _bottleneck(name: str, came: int, width: int, *, shortcut: bool) -> Iterator[tuple[str, Shape]]:
    yield from _convolution(f"{name}.in", width, came, 1)
    yield from _convolution(f"{name}.mid", width, width, 3)
    yield from _convolution(f"{name}.out", width * 4, width, 1)
    if shortcut:
        yield from _convolution(f"{name}.short", width * 4, came, 1)


def _convolution(name: str, out: int, came: int, side: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", (out, came, side, side)
    yield from ((f"{name}.{which}", (out,)) for which in ("scale", "shift"))
