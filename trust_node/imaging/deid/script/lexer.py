"""Cuts a script into tokens that know where they stood."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from trust_node.imaging.deid.script.errors import ScriptError
from trust_node.imaging.deid.script.paths import TAG
from trust_node.imaging.deid.script.syntax import Place

LONGEST_SCRIPT = 65_536
KEYWORDS = frozenset(
    {"version", "describe", "export", "hidden", "const", "immutable", "if", "elseif", "else", "echo"}
    | {"removeAllPrivateTags"}
)
TAG_TEXT = re.sub(r"\(\?P<\w+>", "(?:", TAG.pattern)
_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t]+|//[^\n]*)
    | (?P<newline>\n)
    | (?P<string>"(?:[^"\\\n]|\\[nrtbf()\\]|\\[0-7]{3})*")
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?![A-Za-z0-9_]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<tag>"""
    + TAG_TEXT.replace(" ", r"\ ").replace("#", r"\#")
    + r""")
    | (?P<sign>:=|\?=|!=|!~|[][(){},/?:=~%*+.-])
    """,
    re.VERBOSE,
)
_NO_TAG = re.compile(rf"(?!{TAG_TEXT})\([ \t]*[0-9A-Fa-fXx#@]+[ \t]*,")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is newline, string, number, name, tag, a sign or a keyword by its own text, or end."""

    kind: str
    text: str
    place: Place


def tokens(script: str) -> Iterator[Token | ScriptError]:
    """Give the script's tokens and, where no token begins, an error; each line that is cut short ends there.

    A backslash at the end of a line joins it to the next, even inside a token.
    """
    text, starts = _joined(script)
    at = 0
    while at < len(text):
        match = None if _NO_TAG.match(text, at) else _TOKEN.match(text, at)
        if match is None:
            yield _strange(text, at, _place(starts, at))
            at = _end_of_line(text, at)
        else:
            yield from _token(match, starts)
            at = match.end()
    yield Token("end", "", _place(starts, at))


def _token(match: re.Match[str], starts: list[tuple[int, int]]) -> Iterator[Token]:
    kind, text = str(match.lastgroup), match.group()
    if kind != "blank":
        named = kind == "sign" or (kind == "name" and text in KEYWORDS)
        yield Token(text if named else kind, text, _place(starts, match.start()))


def _joined(script: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the script with its continued lines joined, and where each of its own lines starts therein."""
    pieces: list[str] = []
    starts: list[tuple[int, int]] = []
    offset = 0
    for number, line in enumerate(re.split(r"\r?\n", script), start=1):
        starts.append((offset, number))
        piece = line[:-1] if line.endswith("\\") else line + "\n"
        pieces.append(piece)
        offset += len(piece)
    return "".join(pieces), starts


def _place(starts: list[tuple[int, int]], at: int) -> Place:
    offset, line = starts[bisect_right(starts, (at, len(starts) + 1)) - 1]
    return Place(line, at - offset + 1)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _strange(text: str, at: int, place: Place) -> ScriptError:
    if text[at] == '"':
        sentence = "this string does not end on its line, or holds a single backslash; double it (\\\\d)"
    elif text[at] == "(":
        sentence = "this is no tag; write (gggg,eeee) or (gggg,{CREATOR}ee), without blanks beside the brackets"
    elif text[at].isdigit():
        sentence = "this is no number; write it without leading zeros and letters"
    elif text[at] == "-":
        sentence = "- stands before a tag path or a number"
    else:
        sentence = f"{text[at]!a} means nothing here"
    return ScriptError(sentence, place.line, place.column)
