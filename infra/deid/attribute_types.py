"""`python -m infra.deid.attribute_types`: writes types.csv, the attribute types that settle slashed codes.

PS3.3 gives an attribute a type per IOD; highdicom (MIT) carries those tables. Only what is stricter than type 3 is
written: an attribute that a known IOD does not ask for may go.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.datadict import tag_for_keyword

from infra.deid.standard import standard
from trust_node.imaging import deid
from trust_node.imaging.deid.iod import STORAGE
from trust_node.imaging.deid.profile import rows

TARGET = Path(deid.__file__).parent / "types.csv"
COLUMNS = ("keyword", "parent", "type", "sop_classes")
OPTIONAL = "3"


def main() -> None:
    TARGET.write_text(table(), encoding="ascii")


def table() -> str:
    """Return the file's text: keyword, the keyword of the sequence it lies in, type."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(("", "", OPTIONAL, _short(standard("sop_class_iod_map"))))
    for (keyword, parent, kind), classes in sorted(_strict().items()):
        writer.writerow((keyword, parent, kind, _short(classes)))
    return text.getvalue()


def _short(classes: Iterable[str]) -> str:
    return " ".join(sorted(sop_class.removeprefix(STORAGE) for sop_class in classes))


def _strict() -> dict[tuple[str, str, str], set[str]]:
    classes = defaultdict(set)
    for sop_class, iod in standard("sop_class_iod_map").items():
        for (keyword, parent), kind in _types(iod).items():
            if kind != OPTIONAL:
                classes[keyword, parent, kind].add(sop_class)
    return classes


def _types(iod: str) -> dict[tuple[str, str], str]:
    """Return the strictest type that any module of the IOD gives: 1C counts as 1, for a dummy is valid there too."""
    strictest: dict[tuple[str, str], str] = {}
    for keyword, parent, kind in _attributes(iod):
        known = strictest.get((keyword, parent), OPTIONAL)
        strictest[keyword, parent] = min(known, kind)
    return strictest


def _attributes(iod: str) -> Iterator[tuple[str, str, str]]:
    asked = {tag for tag, row in rows().items() if "/" in row.basic}
    for module in standard("iod_module_map")[iod]:
        for attribute in standard("module_attribute_map").get(module["key"], ()):
            tag = tag_for_keyword(attribute["keyword"])
            if tag is not None and f"{tag:08X}" in asked:
                yield attribute["keyword"], (attribute["path"] or [""])[-1], attribute["type"][0]


if __name__ == "__main__":
    main()
