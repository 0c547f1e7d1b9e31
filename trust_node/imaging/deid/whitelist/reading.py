"""Reads white lists: one element in a line, or a script of the RSNA Clinical Trial Processor (CTP)."""

from pydicom.datadict import tag_for_keyword

from trust_node.imaging.deid.script.paths import PathError, TagStep, parse_path
from trust_node.imaging.deid.whitelist.ctp import read_ctp
from trust_node.imaging.deid.whitelist.errors import WhitelistError

LONGEST_LIST = 4 * 2**20


def read_steps(text: str) -> tuple[frozenset[TagStep], tuple[str, ...]]:
    """Return the elements that a list names, and sentences on what a CTP script asks for besides."""
    if len(text) > LONGEST_LIST:
        raise WhitelistError(f"a white list has at most {LONGEST_LIST} characters")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        steps, not_taken_over = read_ctp(text.lstrip("\ufeff \t\r\n"))
        return frozenset(steps), not_taken_over
    lines = ((number, line.partition("//")[0].strip()) for number, line in enumerate(text.splitlines(), start=1))
    return frozenset(_step(line, number) for number, line in lines if line), ()


def _step(line: str, number: int) -> TagStep:
    known = tag_for_keyword(line)
    if known is not None:
        return TagStep(f"{known >> 16:04X}", f"{known & 0xFFFF:04X}")
    try:
        return _spelt(line)
    except PathError:
        raise WhitelistError(
            f"line {number}: an element is written as a keyword, as 00100010, (0010,0010) or 0019,{{CREATOR}}0F"
        ) from None


def _spelt(text: str) -> TagStep:
    """Read one tag in any of its spellings; raises PathError."""
    bare = text.strip("() \t")
    path = parse_path(f"({bare})" if "," in bare else f"({bare[:4]},{bare[4:]})")
    found = path.steps[0]
    if not isinstance(found, TagStep) or len(path.steps) > 1:
        raise PathError("one element is needed")
    return found
