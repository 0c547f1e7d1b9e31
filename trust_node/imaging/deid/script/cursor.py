"""Where a reader of a script stands among its tokens."""

from dataclasses import dataclass

from trust_node.imaging.deid.script.errors import ScriptError
from trust_node.imaging.deid.script.lexer import Token
from trust_node.imaging.deid.script.syntax import Place

DEEPEST = 32


@dataclass(slots=True)
class Cursor:
    tokens: list[Token]
    at: int = 0
    depth: int = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> Token:
        token = self.next
        if token.kind not in kinds:
            raise unexpected(token, " or ".join(map(_called, kinds)))
        self.at += token.kind != "end"
        return token

    def takes(self, kind: str) -> bool:
        """Take the next token if it is of this kind, and tell whether it was."""
        is_it = self.next.kind == kind
        self.at += is_it
        return is_it

    def lines(self) -> None:
        while self.takes("newline"):
            pass

    def deeper(self, place: Place) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ScriptError(f"nested deeper than {DEEPEST} levels", place.line, place.column)


def _called(kind: str) -> str:
    words = {
        "string": 'a "string"',
        "name": "a name",
        "tag": "a tag path",
        "number": "a number",
        "newline": "a new line",
    }
    return words.get(kind, kind)


def unexpected(token: Token, expected: str) -> ScriptError:
    found = {"end": "the script ends", "newline": "the line ends"}.get(token.kind, f"{token.text!a} stands")
    return ScriptError(f"{found} where there should be {expected}", token.place.line, token.place.column)
