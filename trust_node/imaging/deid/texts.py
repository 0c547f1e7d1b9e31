"""Clean Descriptors (PS3.15 E.3.5): of a free text only the words of a closed vocabulary stand.

An allow list errs towards dropping: a name, an address or a number that no rule foresaw is no word of the list.
"""

import re
from functools import cache
from importlib.resources import files

# Only ASCII letters are known words; a letter of another alphabet beside them makes the whole word unknown.
_WORD = re.compile(r"[^\W_]+")
_MEASURE = re.compile(r"\d{1,2}(?:mm|cm|ms|kv|ml|deg|min|sec)")


@cache
def vocabulary() -> frozenset[str]:
    """Return the words that may stand, in lower case; `infra/deid/words.py` says where they come from."""
    return frozenset(files(__package__).joinpath("words.txt").read_text(encoding="ascii").split())


def clean(text: str) -> str:
    """Return the words of `text` that belong to the vocabulary, as they were written, one blank between them.

    Kept besides: measures of two digits and a unit (`5mm`). Dropped: everything else, numbers included.
    """
    words = vocabulary()
    kept = (word for word in _WORD.findall(text) if word.lower() in words or _MEASURE.fullmatch(word.lower()))
    return " ".join(kept)
