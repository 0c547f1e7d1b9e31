"""Tag paths mean just what a naive reader makes of them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError
from trust_node.imaging.deid.script.finding import DEEPEST, find
from trust_node.imaging.deid.script.paths import PathError, TagPath, TagStep, Wildcard, parse_path

LEAVES = [0x00100010, 0x00100020, 0x00189151]
SEQUENCES = [0x00081140, 0x00081110]
CREATORS = ["MAKER", "OTHER"]

# An element on the way to another: its tag, its creator, and which item the way goes on in.
Way = tuple[tuple[int, str | None, int | None], ...]


def datasets() -> st.SearchStrategy[Dataset]:
    leaves = st.sets(st.sampled_from(LEAVES))
    private = st.sets(st.tuples(st.sampled_from(CREATORS), st.sampled_from([0x01, 0x10])))
    return st.recursive(
        st.builds(filled, leaves, private, st.just({})),
        lambda inner: st.builds(
            filled,
            leaves,
            private,
            st.dictionaries(st.sampled_from(SEQUENCES), st.lists(inner, max_size=3), max_size=2),
        ),
        max_leaves=6,
    )


def filled(leaves: set[int], private: set[tuple[str, int]], sequences: dict[int, list[Dataset]]) -> Dataset:
    dataset = Dataset()
    for tag in leaves:
        dataset.add_new(tag, "LO", "x")
    for creator, low in private:
        dataset.private_block(0x0019, creator, create=True).add_new(low, "LO", "x")
    for tag, items in sequences.items():
        dataset.add_new(tag, "SQ", items)
    return dataset


steps = st.one_of(
    st.builds(Wildcard, st.sampled_from(["*", "+", "."])),
    st.builds(
        TagStep,
        st.sampled_from(["0010", "0008", "00XX".replace("XX", "1@"), "XXX@", "0018"]),
        st.sampled_from(["0010", "1140", "XXXX", "1110", "00#0", "00@0", "9151"]),
        st.none(),
        st.none() | st.integers(0, 2),
    ),
    st.builds(
        TagStep,
        st.sampled_from(["0019", "001#"]),
        st.sampled_from(["01", "XX", "#0"]),
        st.sampled_from(CREATORS),
        st.none() | st.integers(0, 1),
    ),
)
paths = st.lists(steps, min_size=1, max_size=4).map(lambda found: TagPath(tuple(found)))


def ways(dataset: Dataset, before: Way = ()) -> Iterator[tuple[Way, str]]:
    """Give every element by the way to it, and how that is written."""
    for element in dataset:
        tag = int(element.tag)
        creator = None
        if element.tag.is_private and tag & 0xFFFF > 0xFF:
            creator = dataset[(element.tag.group, element.tag.element >> 8)].value
        here = (*before, (tag, creator, None))
        yield here, written(here)
        for number, item in enumerate(element.value if element.VR == "SQ" else ()):
            yield from ways(item, (*before, (tag, creator, number)))


def written(way: Way) -> str:
    return "/".join(
        f"({tag >> 16:04X},{tag & 0xFFFF:04X})" + ("" if item is None else f"[{item}]") for tag, _, item in way
    )


def meant(path: tuple[TagStep | Wildcard, ...], way: Way) -> bool:
    """Read the path from left to right, as its definition says."""
    if not path:
        return not way
    step, rest = path[0], path[1:]
    if step == Wildcard("*"):
        return meant(rest, way) or (bool(way) and meant(path, way[1:]))
    if step == Wildcard("+"):
        return bool(way) and (meant(rest, way[1:]) or meant(path, way[1:]))
    if not way or (isinstance(step, TagStep) and not named(step, way[0])):
        return False
    return meant(rest, way[1:])


def named(step: TagStep, part: tuple[int, str | None, int | None]) -> bool:
    tag, creator, item = part
    digits = f"{tag:08X}"
    pattern = step.group + step.element.rjust(4, "X")
    if step.creator is not None and step.creator != creator:
        return False
    return all(fits(p, d) for p, d in zip(pattern, digits, strict=True)) and (item is None or step.item in {None, item})


def fits(pattern: str, digit: str) -> bool:
    odd = int(digit, 16) % 2 == 1
    return pattern == "X" or (pattern == "#" and odd) or (pattern == "@" and not odd) or pattern == digit


@given(datasets(), paths)
def test_a_path_finds_what_its_definition_says(dataset: Dataset, path: TagPath) -> None:
    elements = [text for way, text in ways(dataset) if meant(path.steps, way)]
    if path.item is None:
        expected = sorted(elements)
    else:
        expected = sorted(
            f"{text}[{path.item}]"
            for way, text in ways(dataset)
            if meant(path.steps, way) and path.item < items(dataset, way)
        )
    assert sorted(found.path for found in find(dataset, path, Budget())) == expected


def items(dataset: Dataset, way: Way) -> int:
    for tag, _, item in way[:-1]:
        dataset = dataset[tag].value[item]
    element = dataset[way[-1][0]]
    return len(element.value) if element.VR == "SQ" else 0


@given(paths)
def test_a_path_reads_as_it_is_written(path: TagPath) -> None:
    assert parse_path(str(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("(0008 , 1024) [%] / (00ab , {Foo}10) / (0010 , 0010)", "(0008,1024)/(00AB,{Foo}10)/(0010,0010)"),
        ("* / (0010,0010)", "*/(0010,0010)"),
        ("(aaaa,xxff)", "(AAAA,XXFF)"),
        ("(0009,1010)", "(0009,1010)"),
    ],
)
def test_spellings(text: str, path: str) -> None:
    assert str(parse_path(text)) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0010,0010",
        "(0010,0010",
        "(0010,0010)[x]",
        "(0010,0010)[1000]",
        "(0010,0010)//(0010,0010)",
        "(0002,0010)",
        "(0010,{A}10)",
        "(0019,{1A}10)",
        "/".join(["*"] * 33),
        "(0010,0010)[99999999999999999999]",
        "(0010,0010) x",
    ],
)
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(PathError):
        parse_path(text)


def test_work_and_depth_are_bounded() -> None:
    dataset = Dataset()
    for _ in range(DEEPEST + 2):
        outer = Dataset()
        outer.add_new(0x00081140, "SQ", [dataset])
        dataset = outer
    with pytest.raises(CannotError, match="nested deeper"):
        find(dataset, parse_path("*/(0010,0010)"), Budget())
    with pytest.raises(CannotError, match="too much work"):
        find(filled(set(LEAVES), set(), {}), parse_path("(0010,XXXX)"), Budget(left=2))
