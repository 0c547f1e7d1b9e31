"""`python -m infra.deid.words`: writes words.txt, the words that Clean Descriptors lets stand.

They come from DICOM's own code meanings (PS3.16 context groups of anatomy, laterality, views and modalities, as
pydicom carries them), from the keywords of those codes, and from `protocols.txt`: sequences, contrast, planes.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.sr.codedict import codes

from trust_node.imaging import deid

TARGET = Path(deid.__file__).parent / "words.txt"
PROTOCOLS = Path(__file__).with_name("protocols.txt")
CONTEXT_GROUPS = (2, 4, 12, 20, 23, 29, 33, 244, 4009, 4010, 4011, 4014, 4028, 4030, 4031, 4040, 4042)
# Code meanings also hold names of people, towns and makers, and words that are everybody's surname.
NOT_WORDS = frozenset(
    {"bell", "bird", "boyd", "dodd", "hunterian", "ker", "mouse", "stone", "towne", "waters", "willis", "worth"}
)
SHORTEST = 2


def main() -> None:
    TARGET.write_text("\n".join(sorted(words())) + "\n", encoding="ascii")


def words() -> set[str]:
    """Return the words in lower case, of ASCII letters and digits."""
    found = set(_of(PROTOCOLS.read_text(encoding="ascii")))
    return {word for word in found | set(_of_groups(CONTEXT_GROUPS)) if word not in NOT_WORDS}


def _of_groups(groups: Iterable[int]) -> Iterator[str]:
    for group in groups:
        concepts = getattr(codes, f"CID{group}")
        for name in concepts.dir():
            code = getattr(concepts, name)
            yield from _of(f"{code.meaning} {code.value if code.scheme_designator == 'DCM' else ''}")


def _of(text: str) -> Iterator[str]:
    for word in re.findall(r"[a-z][a-z0-9]*", text.lower()):
        if len(word) >= SHORTEST:
            yield word


if __name__ == "__main__":
    main()
