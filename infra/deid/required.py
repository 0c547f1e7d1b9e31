"""`python -m infra.deid.required`: writes required.csv, what every object of a class must have at its top level.

PS3.3 gives an attribute type 1 in a mandatory module; highdicom (MIT) carries those tables.
"""

import csv
import io
from collections import defaultdict
from pathlib import Path

from infra.deid.standard import standard
from trust_node.imaging.deid import whitelist
from trust_node.imaging.deid.iod import STORAGE

TARGET = Path(whitelist.__file__).parent / "required.csv"


def main() -> None:
    TARGET.write_text(table(), encoding="ascii")


def table() -> str:
    """Return the file's text: keyword, and the SOP classes, those of storage without their root."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("keyword", "sop_classes"))
    for keyword, classes in sorted(_required().items()):
        writer.writerow((keyword, " ".join(sorted(name.removeprefix(STORAGE) for name in classes))))
    return text.getvalue()


def _required() -> dict[str, set[str]]:
    classes = defaultdict(set)
    for sop_class, iod in standard("sop_class_iod_map").items():
        for module in standard("iod_module_map")[iod]:
            for attribute in standard("module_attribute_map").get(module["key"], ()) if module["usage"] == "M" else ():
                if attribute["type"] == "1" and not attribute["path"]:
                    classes[attribute["keyword"]].add(sop_class)
    return classes


if __name__ == "__main__":
    main()
